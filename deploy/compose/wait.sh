#!/bin/sh
# wait.sh SECONDS COMPOSE…: until every container of the project is healthy, or has done its work and ended well.
# Names what is not in time.
set -eu
deadline=$(($(date +%s) + $1))
shift
while :; do
  ids=$("$@" ps --all --quiet)
  # shellcheck disable=SC2086 # ids, one word each
  open=$([ -z "$ids" ] || docker inspect --format \
    '{{.Name}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}code {{.State.ExitCode}}{{end}}' \
    $ids | grep -v -e ' running healthy$' -e ' exited code 0$' || true)
  [ -n "$ids" ] && [ -z "$open" ] && exit 0
  if [ "$(date +%s)" -ge "$deadline" ]; then
    echo "not ready in time:" >&2
    echo "${open:-no container at all}" >&2
    exit 1
  fi
  sleep 2
done
