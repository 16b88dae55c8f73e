#!/bin/sh
# Runs a command with a fake /sys/class/gpio, /sys/class/pwm and /sys/bus/iio/devices that only it sees; needs root. The command keeps the pid of this script.
# usage: in-fake-sysfs.sh FUSE_SYSFS FOLDER COMMAND...   (FOLDER gets: control, log, mount/)
set -eu
if [ "${FAKE_SYSFS:-}" != inside ]; then
  FAKE_SYSFS=inside exec unshare -m --propagation private "$0" "$@"
fi
unset FAKE_SYSFS
program=$1 folder=$2
shift 2
mkdir -p "$folder/mount"
[ -p "$folder/control" ] || mkfifo "$folder/control"
: >>"$folder/log"
# Its end comes with ours: the command below is its parent.
"$program" "$folder/mount" "$folder/control" "$folder/log" &
tries=0
until [ -e "$folder/mount/gpio/export" ]; do
  tries=$((tries + 1))
  [ "$tries" -le 500 ] || { echo 'the fake sysfs did not come up' >&2; exit 1; }
  sleep 0.01
done
mount -t tmpfs tmpfs /sys/class
mkdir /sys/class/gpio /sys/class/pwm
mount --bind "$folder/mount/gpio" /sys/class/gpio
mount --bind "$folder/mount/pwm" /sys/class/pwm
mount -t tmpfs tmpfs /sys/bus
mkdir -p /sys/bus/iio/devices
mount --bind "$folder/mount/iio" /sys/bus/iio/devices
exec "$@"
