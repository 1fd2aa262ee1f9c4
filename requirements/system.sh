#!/usr/bin/env bash
# Install the Debian packages of debian.txt that are missing. Nothing to do: says nothing.
set -euo pipefail
cd "$(dirname "$0")"
missing=$(grep -vE '^(#|$)' debian.txt | while read -r p; do dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || echo "$p"; done)
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "These Debian packages are missing; run this, then the same command again:  sudo apt-get install" $missing >&2
  exit 2
fi
echo "installing" $missing "…"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
