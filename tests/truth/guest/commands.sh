# What a person might type: files, pipes, compression, and a clean end.
mount -t proc proc /proc
echo "truth: shell"
ls / | sort | head -3
sha256sum /data
mkdir /tmp/made
gzip -c /data > /tmp/made/data.gz
gunzip -c /tmp/made/data.gz | cmp - /data && echo "truth: gzip whole"
dd if=/data of=/tmp/made/copy bs=4096 2> /dev/null
sync
echo 3 > /proc/sys/vm/drop_caches
cmp /tmp/made/copy /data && echo "truth: copy whole"
(for i in 1 2 3 4 5 6 7 8; do echo $((i * i)); done) | sort -r | grep -c 6
rm -r /tmp/made
mount -o remount,ro /
echo "truth: done"
poweroff -f
