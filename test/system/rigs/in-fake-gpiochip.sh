#!/bin/sh
# Runs a command with a /dev/gpiochip0 and a /dev/spidev0.0 that fake-gpiochip answers for; inside in-fake-sysfs.sh, whose mount namespace it changes. The command
# keeps the pid of this script.
# usage: in-fake-gpiochip.sh FAKE_GPIOCHIP FOLDER COMMAND...   (FOLDER gets: chip-control, dev/; the log is shared)
set -eu
program=$1 folder=$2
shift 2
mkdir -p "$folder/dev"
[ -p "$folder/chip-control" ] || mkfifo "$folder/chip-control"
mount -t tmpfs tmpfs "$folder/dev"
for device in null zero full random urandom; do cp -a "/dev/$device" "$folder/dev/"; done
mkdir "$folder/dev/shm"
: >"$folder/dev/gpiochip0"
: >"$folder/dev/spidev0.0"
mount --bind "$folder/dev" /dev
exec "$program" "$folder/chip-control" "$folder/log" "$@"
