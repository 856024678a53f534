"""Changes an administrator makes in the tenant: blueprints, people, tags. The first of the mutations of its state."""

from kandji_simulator.world.rng import stable_hash, uuid_from
from kandji_simulator.world.state import TenantState


class TenantMutations(TenantState):
    """Each changes the world as an administrator would."""

    def add_blueprint(self, name: str | None = None) -> str:
        """Add a blueprint without devices; return its id. The log has two events of one moment of that."""
        blueprint = self.generator.blueprint(self.count_up("blueprint"), self.moment, name)
        self.blueprints[blueprint.id] = blueprint
        target = ("blueprint", blueprint.id)
        self.audit.add(self.moment, "create", target, name=blueprint.name, type=blueprint.type, description="")
        self.audit.add(self.moment, "update", target, "parameters", name=blueprint.name, parameters=[])
        return blueprint.id

    def rename_blueprint(self, blueprint_id: str, name: str) -> None:
        """Give the blueprint another name, there and in all rows that repeat it."""
        blueprint = self.blueprint(blueprint_id)
        blueprint.name, blueprint.updated = name, self.moment
        self.audit.add(self.moment, "update", ("blueprint", blueprint_id), name=name)

    def assign_item(self, blueprint_id: str, name: str) -> str:
        """Add a library item to the blueprint; return its id."""
        blueprint, item = self.blueprint(blueprint_id), self.generator.library[name]
        blueprint.items = {**blueprint.items, item: name}
        added = [{"id": item, "name": name}]
        target = ("blueprint", blueprint_id)
        self.audit.add(self.moment, "update", target, "library_items", library_items_added=added, name=blueprint.name)
        return item

    def remove_blueprint(self, blueprint_id: str) -> None:
        """Remove the blueprint; its devices have none."""
        gone = self.blueprint(blueprint_id)
        del self.blueprints[blueprint_id]
        for device in self.devices.values():
            if device.blueprint is gone:
                device.blueprint = None
        self.audit.add(self.moment, "delete", ("blueprint", blueprint_id), name=gone.name)

    def add_user(self, name: str | None = None) -> str:
        """Add a person without devices; return the id."""
        user = self.generator.user(self.count_up("user"), self.moment, name)
        self.users[user.id] = user
        self.audit.add(self.moment, "create", ("user", user.id), email=user.email, name=user.name)
        return user.id

    def archive_user(self, user_id: str) -> None:
        """Archive the person, who keeps the devices."""
        user = self.user(user_id)
        user.archived, user.updated = True, self.moment
        self.audit.add(self.moment, "update", ("user", user_id), archived=True)

    def remove_user(self, user_id: str) -> None:
        """Remove the person; the devices have none."""
        gone = self.user(user_id)
        del self.users[user_id]
        for device in self.devices.values():
            if device.user is gone:
                device.user = None
        self.audit.add(self.moment, "delete", ("user", user_id), email=gone.email)

    def add_tag(self, name: str) -> str:
        """Add a tag that is on no device; return its id."""
        self.tags[name] = uuid_from(stable_hash(self.seed, "tag", self.count_up("tag")))
        self.audit.add(self.moment, "create", ("tag", self.tags[name]), name=name)
        return self.tags[name]

    def rename_tag(self, name: str, other: str) -> None:
        """Give the tag another name, on the devices too."""
        identifier = self.tag(name)
        self.tags = {other if tag == name else tag: i for tag, i in self.tags.items()}
        self._retag({name: other})
        self.audit.add(self.moment, "update", ("tag", identifier), name=other)

    def remove_tag(self, name: str) -> None:
        """Remove the tag, from the devices too."""
        identifier = self.tag(name)
        del self.tags[name]
        self._retag({name: None})
        self.audit.add(self.moment, "delete", ("tag", identifier), name=name)

    def _retag(self, changed: dict[str, str | None]) -> None:
        for device in self.devices.values():
            renamed = (changed.get(tag, tag) for tag in device.tags)
            device.tags = tuple(tag for tag in renamed if tag is not None)
