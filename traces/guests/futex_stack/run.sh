#!/bin/sh
# Run a build: run.sh BUILD_DIRECTORY [HARTS] [further QEMU options]
set -eu

build=$1
harts=${2:-1}
shift
[ $# -eq 0 ] || shift

exec "${QEMU:-qemu-system-riscv64}" -machine virt -m 16M -smp "$harts" -nographic -no-reboot \
    -kernel "$build/kernel.elf" \
    -drive "file=$build/disk.img,format=raw,if=none,id=disk,readonly=on" \
    -device virtio-blk-device,drive=disk "$@"
