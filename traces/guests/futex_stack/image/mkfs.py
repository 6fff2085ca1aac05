"""Write a directory tree as a file system image of the kind that kernel/fs_format.h describes."""

from __future__ import annotations

import argparse
import struct
from dataclasses import dataclass, field
from pathlib import Path

BLOCK_SIZE = 1024
MAGIC = 0x31534654
INLINE_EXTENTS = 2
INODE = struct.Struct("<II" + "III" * INLINE_EXTENTS + "I28x")
EXTENT = struct.Struct("<III")
ENTRY = struct.Struct("<I28s")
SUPERBLOCK = struct.Struct("<II")
TYPE_FILE, TYPE_DIRECTORY, TYPE_SYMLINK = 1, 2, 3

# Every second block stays empty, as on disks that gave the host time to ask for the next one.
INTERLEAVE = 2


@dataclass
class Image:
    """Blocks of the disk, handed out in ascending order."""

    blocks: dict[int, bytes] = field(default_factory=dict)
    next_block: int = 1

    def store(self, data: bytes) -> int:
        """Put one block's worth of data on the disk and return its number."""
        number = self.next_block
        self.blocks[number] = data.ljust(BLOCK_SIZE, b"\0")
        self.next_block += INTERLEAVE
        return number

    def store_file(self, kind: int, data: bytes) -> bytes:
        """Store a file's contents, blocks of zeroes as holes, and return its inode."""
        extents = []
        for logical, start in enumerate(range(0, len(data), BLOCK_SIZE)):
            block = data[start : start + BLOCK_SIZE]
            if any(block):
                extents.append((logical, self.store(block), 1))
        inline, others = extents[:INLINE_EXTENTS], extents[INLINE_EXTENTS:]
        if len(others) > BLOCK_SIZE // EXTENT.size:
            raise SystemExit("mkfs: a file needs more extents than an extent block holds")
        extent_block = self.store(b"".join(EXTENT.pack(*e) for e in others)) if others else 0
        inline += [(0, 0, 0)] * (INLINE_EXTENTS - len(inline))
        return INODE.pack(kind, len(data), *(n for extent in inline for n in extent), extent_block)

    def to_bytes(self) -> bytes:
        """The whole disk."""
        empty = bytes(BLOCK_SIZE)
        return b"".join(self.blocks.get(n, empty) for n in range(self.next_block))


def walk_tree(root: Path) -> list[Path]:
    """All paths under `root`, itself first, in an order that depends on names only."""
    return [root, *sorted(path for path in root.rglob("*"))]


def encode_directory(path: Path, numbers: dict[Path, int]) -> bytes:
    """Directory entries of `path`; its parent is the entry `..`."""
    parent = path.parent if path.parent in numbers else path
    names = [(".", path), ("..", parent), *((p.name, p) for p in sorted(path.iterdir()))]
    return b"".join(ENTRY.pack(numbers[p], name.encode()) for name, p in names)


def encode_path(image: Image, path: Path, numbers: dict[Path, int]) -> bytes:
    """Store what is at `path` and return its inode."""
    if path.is_symlink():
        return image.store_file(TYPE_SYMLINK, str(path.readlink()).encode())
    if path.is_dir():
        return image.store_file(TYPE_DIRECTORY, encode_directory(path, numbers))
    return image.store_file(TYPE_FILE, path.read_bytes())


def make_image(root: Path) -> bytes:
    """The image of the tree under `root`."""
    image = Image()
    paths = walk_tree(root)
    numbers = {path: number for number, path in enumerate(paths)}
    inodes = b"".join(encode_path(image, path, numbers) for path in paths)
    inode_file = image.store_file(TYPE_FILE, inodes)
    image.blocks[0] = (SUPERBLOCK.pack(MAGIC, len(paths)) + inode_file).ljust(BLOCK_SIZE, b"\0")
    return image.to_bytes()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.output.write_bytes(make_image(arguments.root))


if __name__ == "__main__":
    main()
