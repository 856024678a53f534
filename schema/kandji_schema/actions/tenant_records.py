"""What the tenant keeps about a device: its attributes, its notes, and the tags there are."""

from kandji_schema.actions.arguments import Argument, Kind
from kandji_schema.actions.record import Action, OutcomeCheck, Risk, TargetKind, Values
from kandji_schema.errors import UsageError

_NOTES = "/api/v1/devices/{device_id}/notes"
_NOTE_ID = Argument(
    name="note_id",
    key="note_id",
    kind=Kind.ID,
    required=True,
    description="Identifier of the note; `notes` lists them.",
)
_CONTENT = Argument(
    name="content",
    key="content",
    kind=Kind.LINES,
    required=True,
    personal=True,
    longest=5_000,
    description="Text of the note.",
    sample="Returned to stock",
)
_TAG_NAME = Argument(
    name="name", key="name", required=True, sample="spare", longest=255, description="Name of the tag."
)


def _something(values: Values) -> None:
    if not values:
        raise UsageError("update needs one of user, asset_tag, blueprint_id and tags. Nothing was sent.")


UPDATE = Action(
    name="update",
    title="Change a device's attributes",
    tool="update_device",
    path="/api/v1/devices/{device_id}",
    method="PATCH",
    arguments=(
        Argument(
            name="user",
            key="user",
            kind=Kind.ID,
            clearable=True,
            personal=True,
            description="Identifier of the user the device is assigned to (users.id); empty for none.",
        ),
        Argument(
            name="asset_tag",
            key="asset_tag",
            clearable=True,
            longest=255,
            description="Asset tag; empty for none.",
            sample="A-00417",
        ),
        Argument(
            name="blueprint_id", key="blueprint_id", kind=Kind.ID, description="Blueprint it moves to (blueprints.id)."
        ),
        Argument(
            name="tags",
            key="tags",
            kind=Kind.TEXTS,
            clearable=True,
            description="Names of all its tags: they REPLACE those it has; an empty list removes all.",
        ),
    ),
    check=_something,
    consequences=(
        "The given attributes replace those of the device. Another blueprint changes what is installed on it and "
        "removed from it at its next check-in.",
    ),
    outcome_check=OutcomeCheck.ROW,
    tables=("devices",),
    aliases=("updatedevice",),
    permission="Update device",
)

NOTES = Action(
    name="notes",
    title="List a device's notes",
    tool="list_device_notes",
    path=_NOTES,
    method="GET",
    risk=Risk.READS,
    consequences=("Nothing changes.",),
    permission="Device notes",
)

ADDNOTE = Action(
    name="addnote",
    title="Add a note",
    tool="add_device_note",
    path=_NOTES,
    risk=Risk.ADDS,
    arguments=(_CONTENT,),
    consequences=("Everybody who sees the device in the console sees the note.",),
    permission="Create device note",
)

EDITNOTE = Action(
    name="editnote",
    title="Edit a note",
    tool="edit_device_note",
    path=_NOTES + "/{note_id}",
    method="PATCH",
    arguments=(_NOTE_ID, _CONTENT),
    consequences=("The note's text is replaced; what it said before is gone.",),
    permission="Update device note",
)

DELETENOTE = Action(
    name="deletenote",
    title="Delete a note",
    tool="delete_device_note",
    path=_NOTES + "/{note_id}",
    method="DELETE",
    risk=Risk.DESTROYS,
    arguments=(_NOTE_ID,),
    consequences=("The note is gone for everybody.",),
    permission="Delete device note",
)

CREATETAG = Action(
    name="createtag",
    title="Create a tag",
    tool="create_tag",
    path="/api/v1/tags",
    target=TargetKind.TENANT,
    risk=Risk.ADDS,
    arguments=(_TAG_NAME,),
    consequences=("The tag can be given to devices; none has it yet.",),
    tables=("tags",),
    permission="Create tag",
)

RENAMETAG = Action(
    name="renametag",
    title="Rename a tag",
    tool="rename_tag",
    path="/api/v1/tags/{tag_id}",
    method="PATCH",
    target=TargetKind.TAG,
    arguments=(_TAG_NAME,),
    consequences=("Every device that has the tag shows the new name; rules that go by the name may change.",),
    tables=("tags", "devices"),
    permission="Update tag",
)

DELETETAG = Action(
    name="deletetag",
    title="Delete a tag",
    tool="delete_tag",
    path="/api/v1/tags/{tag_id}",
    method="DELETE",
    target=TargetKind.TAG,
    risk=Risk.DESTROYS,
    consequences=("Every device that has the tag loses it, and what is assigned by it.",),
    tables=("tags", "devices"),
    permission="Delete tag",
)
