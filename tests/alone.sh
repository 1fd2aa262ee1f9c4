#!/usr/bin/env bash
# alone.sh COMMAND …: run it in a network of its own, where that is possible (root). A real agent asks its gateway and its
# name server how they are; a test must ask nobody outside.
if [ "$(id -u)" = 0 ] && unshare --net true 2>/dev/null; then
  exec unshare --net -- bash -c 'ip link set lo up && exec "$@"' alone "$@"
fi
exec "$@"
