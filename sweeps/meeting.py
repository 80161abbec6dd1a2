"""How processes that torchrun has just started find each other in its store, which holds what those before them told.

How often torchrun has restarted them does not tell them apart: on each machine it counts for itself, and only what failed there.
"""

import json
import os
import socket
import time
import uuid
from collections.abc import Mapping

from lightning_modules.fleet import MEETING, Fleet

ANNOUNCED = "meeting"


def meet(fleet: Fleet) -> Mapping[str, str]:
    """Wait for the other processes, and return what they all have to know, as variables of the environment.

    Each leaves a word that only it knows under what the first process announces. Once that one has all words it repeats them;
    what an earlier one announced repeats none of them. Processes that are started anew meet in a store of their own from then on,
    since PyTorch too would find in that of torchrun the addresses of those before them.

    Args:
        fleet: in torchrun's store.
    """
    announced = _call(fleet) if fleet.place.rank == 0 else _answer(fleet)
    return dict(json.loads(announced))


def _call(fleet: Fleet) -> str:
    name, anew = uuid.uuid4().hex, {}
    if fleet.told(ANNOUNCED) is not None:
        address, port = _free_place(os.environ["MASTER_ADDR"])
        anew = {"MASTER_ADDR": address, "MASTER_PORT": str(port), "TORCHELASTIC_USE_AGENT_STORE": str(False)}
        anew["TORCHELASTIC_RESTART_COUNT"] = str(max(1, int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))))
    announced = json.dumps({MEETING: name, **anew})
    fleet.tell(ANNOUNCED, announced)
    others = range(1, fleet.place.processes)
    words = [fleet.hear(f"{announced}/{rank}", f"process {rank} to begin") for rank in others]
    fleet.tell(f"{announced}/repeated", json.dumps(words))
    return announced


def _answer(fleet: Fleet) -> str:
    word = uuid.uuid4().hex
    while True:
        announced = fleet.hear(ANNOUNCED, "the first one to begin")
        fleet.tell(f"{announced}/{fleet.place.rank}", word)
        if word in json.loads(fleet.told(f"{announced}/repeated") or "[]"):
            return announced
        time.sleep(0.1)


def _free_place(address: str) -> tuple[str, int]:
    """Return an address of this machine and a free port there.

    Args:
        address: is returned if it is of this machine.
    """
    for family, kind, _, _, place in socket.getaddrinfo(address, 0, type=socket.SOCK_STREAM):
        with socket.socket(family, kind) as listening:
            try:
                listening.bind(place)
            except OSError:
                continue
            return address, int(listening.getsockname()[1])
    with socket.socket() as listening:
        listening.bind(("", 0))
        return socket.getfqdn(), int(listening.getsockname()[1])
