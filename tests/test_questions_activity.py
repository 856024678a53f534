"""Questions about what happened and what still waits, asked where every answer is known."""

from datetime import timedelta
from pathlib import Path

import pytest
from known_fleet import DEVICES, answer
from reads_home import NOW, publish

from kandji_queries.reader import Reader


def hours_ago(hours: float) -> object:
    return NOW - timedelta(hours=hours)


ACTIVITY = [
    {"device_id": "d2", "id": 7, "created_at": hours_ago(1), "action_type": "name_changed", "user_email": "a@b.c"},
    {
        "device_id": "d2",
        "id": 9,
        "created_at": hours_ago(2),
        "action_type": "mdm_command_completed",
        "details": '{"command_type": "DeviceLock"}',
    },
    {"device_id": "d3", "id": 8, "created_at": hours_ago(2), "action_type": "enrollment"},
    {"device_id": "d1", "id": 3, "created_at": hours_ago(100), "action_type": "enrollment"},
]

COMMANDS = [
    {"device_id": "d1", "uuid": "c1", "command_type": "DeviceLock", "status": 1, "status_name": "pending"},
    {"device_id": "d2", "uuid": "c2", "command_type": "RestartDevice", "status": 5, "status_name": "not now"},
    {"device_id": "d3", "uuid": "c3", "command_type": "DeviceLock", "status": 3, "status_name": "completed"},
    {"device_id": "d6", "uuid": "c4", "command_type": "EraseDevice", "status": 4, "status_name": "failed"},
    {"device_id": "gone", "uuid": "c5", "command_type": "EraseDevice", "status": 2, "status_name": "running"},
]
REQUESTED = [{**row, "date_requested": hours_ago(place)} for place, row in enumerate(COMMANDS)]


@pytest.mark.heavy
def test_activity_is_told_of_one_device_and_across_the_fleet_and_what_waits_is_listed(tmp_path: Path) -> None:
    publish(tmp_path, {"devices": DEVICES, "device_activity": ACTIVITY, "device_commands": REQUESTED})
    with Reader(tmp_path) as reader:
        of_one = answer(reader, "activity_of_device", "id device_id command_type", device="s1")
        assert of_one == [(3, "d1", None)]
        twins = answer(reader, "activity_of_device", "id command_type user_email", device="TWIN")
        assert twins == [(7, None, "a@b.c"), (9, "DeviceLock", None), (8, None, None)]
        assert answer(reader, "fleet_activity", "id") == [(7,), (9,), (8,)]
        assert answer(reader, "fleet_activity", "id", hours=200, action="Enrollment") == [(8,), (3,)]
        long_ago = str((NOW - timedelta(days=9)).date())
        assert answer(reader, "fleet_activity", "id", since=long_ago) == [(7,), (9,), (8,), (3,)]
        waits = answer(reader, "pending_commands", "uuid status device_name")
        assert waits == [
            ("c5", "running", None),
            ("c2", "not now", "Twin"),
            ("c1", "pending", DEVICES[0]["device_name"]),
        ]
        assert answer(reader, "pending_commands", "uuid", command="LOCK") == [("c1",)]
