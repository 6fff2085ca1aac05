#!/bin/busybox sh
# The first process of the shell guest: loads what the disk needs, and goes on with what the disk holds.
bb=/bin/busybox
$bb mount -t devtmpfs dev /dev
for module in @MODULES@; do
	$bb insmod /modules/$module.ko || echo "truth: $module WRONG"
done
until [ -b /dev/vda ]; do $bb sleep 0.1; done
$bb mount -t ext4 /dev/vda /disk
$bb mount -o bind /dev /disk/dev
exec $bb chroot /disk /bin/sh /commands.sh
