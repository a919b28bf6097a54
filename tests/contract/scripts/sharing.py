"""Two processes log to one run at the same time: sharing it, and one resuming what still goes on."""

import pathlib
import subprocess
import sys
import time

import wandb
from outcome import TEAM, tell

PROJECT, *part = sys.argv[1:]


def write(name: str, who: int) -> None:
    """Ten rows of the run, once both writers are at work."""
    run = wandb.init(
        entity=TEAM,
        project=PROJECT,
        id=f"{PROJECT}-{name}",
        resume="allow" if name == "resumed" else None,
        settings=wandb.Settings(
            x_file_stream_transmit_interval=0.2,
            **({"mode": "shared", "x_primary": who == 0} if name == "shared" else {}),
        ),
    )
    pathlib.Path(f"{name}-{who}").touch()
    ends = time.monotonic() + 120
    while not pathlib.Path(f"{name}-{1 - who}").exists() and time.monotonic() < ends:
        time.sleep(0.05)
    for step in range(10):
        run.log({"value": step, "who": who})
    run.finish()


if part:
    write(part[0], int(part[1]))
else:
    writers = [
        subprocess.Popen([sys.executable, __file__, PROJECT, name, str(who)])
        for name in ("shared", "resumed")
        for who in range(2)
    ]
    assert [each.wait(200) for each in writers] == [0] * 4
    result = {}
    for name in ("shared", "resumed"):
        seen = wandb.Api().run(f"{TEAM}/{PROJECT}/{PROJECT}-{name}")
        rows = list(seen.scan_history(keys=["_step", "who", "value"], page_size=4))
        result[name] = sorted([row["who"], row["value"]] for row in rows)
    tell(result)
