#!/bin/sh
# bin/chargepoint of a release: its own Node runs its own program. Links are followed, so that a process stays with its release.
bin=$(dirname "$(readlink -f "$0")")
exec "$bin/node" "$bin/../dist/chargepoint.cjs" "$@"
