"""Makes the disk of the shell guest: a small file system without the help of root."""

import hashlib
import os
import random
import shutil
import subprocess
import tempfile
from pathlib import Path

APPLETS = "sh cat cmp dd grep gunzip gzip head ls mount mkdir poweroff rm sha256sum sort sync uniq wc".split()
SIZE = 16 << 20
DATA = random.Random(2).randbytes(200_000) + bytes(100_000)
"""What the disk holds for the guest's commands to read."""
DIGEST = hashlib.sha256(DATA).hexdigest()


def make_disk(image: Path, busybox: Path, script: Path) -> None:
    """An ext2 image that holds busybox under the names of its applets, some data, and the commands to run."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for folder in ("bin", "dev", "proc", "tmp"):
            (root / folder).mkdir()
        shutil.copy(busybox, root / "bin/busybox")
        (root / "bin/busybox").chmod(0o755)
        for applet in APPLETS:
            (root / "bin" / applet).symlink_to("busybox")
        (root / "data").write_bytes(DATA)
        shutil.copy(script, root / "commands.sh")
        image.unlink(missing_ok=True)
        words = [
            "mke2fs",
            "-q",
            "-t",
            "ext2",
            "-b",
            "1024",
            "-E",
            "root_owner=0:0",
            "-d",
            str(root),
            str(image),
        ]
        environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
        subprocess.run([*words, f"{SIZE >> 10}k"], check=True, stdout=subprocess.DEVNULL, env=environment)
