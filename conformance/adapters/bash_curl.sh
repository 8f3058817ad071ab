#!/usr/bin/env bash
# The worked example of PROTOCOL.md: a small arcrun SDK and its adapter in plain bash and curl.
# It supports health and credentials, in the plain format. bash has no JSON parser; two guarantees of
# the protocol replace it: commands are single lines whose keys come in the documented order,
# with one space after each colon and comma, and `arguments` is always the last key.
set -u
VERSION=0.1.0
declare -A key base_url format timeout # by client

# --- reading commands, writing replies ---------------------------------------------------------

# field NAME: the text of that field in $line, still escaped as JSON; empty if it is not there.
field() {
  if [[ $line =~ \"$1\":\ \"(([^\"\\]|\\.)*)\" ]]; then printf '%s' "${BASH_REMATCH[1]}"; fi
}
# number NAME: the number in that field of $line; empty if it is not there.
number() {
  if [[ $line =~ \"$1\":\ ([0-9.]+) ]]; then printf '%s' "${BASH_REMATCH[1]}"; fi
}
result() { printf '{"id": %s, "result": %s}\n' "$id" "$1"; }
failure() { printf '{"id": %s, "failure": {"message": "%s"}}\n' "$id" "$1"; }
quoted() { if [[ -n $1 ]]; then printf '"%s"' "$1"; else printf 'null'; fi; }
# error NAME MESSAGE [STATUS CODE REQUEST_ID NEXT_ACTIONS]
error() {
  printf '{"id": %s, "error": {"name": "%s", "class": "bash", "message": "%s", ' "$id" "$1" "$2"
  printf '"status": %s, "code": %s, "request_id": %s, "attributes": {"next_actions": %s}}}\n' \
    "${3:-null}" "$(quoted "${4:-}")" "$(quoted "${5:-}")" "${6:-[]}"
}

# --- the SDK ---------------------------------------------------------------------------------

# request METHOD PATH [BODY]: sets $status, $request_id and $body; fails as curl does.
request() {
  local output seconds
  seconds=$(number timeout)
  # Key and body go through file descriptors: every user can read a command line.
  output=$(curl --silent --max-time "${seconds:-${timeout[$client]:-20}}" --request "$1" "${base_url[$client]}$2" \
    --user-agent "arcrun-bash/$VERSION" --header "Content-Type: application/json" \
    --config <(printf 'header = "X-Arcrun-API-Key: %s"\n' "${key[$client]}") \
    --write-out '\n%{http_code} %header{x-request-id}' \
    ${3:+--data-binary @-} <<<"${3:-}") || return
  body=${output%$'\n'*}
  read -r status request_id <<<"${output##*$'\n'}"
}

# call METHOD PATH [BODY]: sends a request and writes the reply if it fails.
call() {
  if [[ ! ${base_url[$client]} =~ ^(https://|http://(127\.0\.0\.1|localhost|\[::1\])(:|/|$)) ]]; then
    error insecure_transport "a key must not go over plain http; there is no allow_insecure_http"
    return 1
  fi
  request "$@"
  case $? in
    0) ;;
    28) error timeout "${base_url[$client]} did not respond in time" && return 1 ;;
    *) error connection "no response from ${base_url[$client]}" && return 1 ;;
  esac
  if ((status < 300)); then
    [[ $body == [\{[]*[\]}] ]] && return 0
    error unexpected_response "the response of ${base_url[$client]} is not JSON" "$status"
    return 1
  fi
  local name=status message code next_actions line=$body
  case $status in
    400) name=bad_request ;;
    401) name=authentication ;;
    403) name=permission_denied ;;
    404) name=not_found ;;
    409) name=conflict ;;
    429) name=rate_limit ;;
    5*) name=server ;;
  esac
  line=${line//\":\"/\": \"} # some engines write no space after the colon
  message=$(field error)$(field human_message) code=$(field code)$(field error_code)
  [[ $line =~ \"next_actions\":\ (\[[^]]*\]) ]] && next_actions=${BASH_REMATCH[1]}
  error "$name" "${message:-${body//[\"\\]/}}" "$status" "$code" "$request_id" "${next_actions:-}"
  return 1
}

creds_name_is_good() {
  [[ $name =~ ^[A-Za-z0-9_]+$ ]] && return 0
  error invalid_argument "the name of a credential may contain letters, digits and _ only"
  return 1
}

# --- the commands ----------------------------------------------------------------------------

while IFS= read -r line; do
  [[ $line =~ ^\{\"id\":\ ([0-9]+),\ \"command\":\ \"([a-z.]+)\" ]] || continue
  id=${BASH_REMATCH[1]} command=${BASH_REMATCH[2]}
  client=$(field client)
  case $command in
    start)
      result '{"protocol": 1, "sdk": {"name": "arcrun-bash", "version": "'$VERSION'", "language":
        "bash"}, "runtime": "bash '"${BASH_VERSION}"'", "capabilities": ["health", "creds.push",
        "creds.list", "creds.delete", "user_agent", "redirects", "single_requests", "raw_http"]}' | tr -d '\n'
      echo
      ;;
    construct)
      key[$client]=$(field api_key)
      base_url[$client]=$(field base_url)
      format[$client]=$(field credential_format)
      timeout[$client]=$(number timeout)
      result '{}'
      ;;
    call)
      name=$(line=${line#*\"arguments\": } && field name)
      case $(field method) in
        health) call GET /health && result "$body" ;;
        creds.list)
          # {"success": true, "credentials": [...], "total": 1} holds one list: ours
          call GET /credentials && result "$(sed 's/^[^[]*\(\[.*\]\)[^]]*$/\1/' <<<"$body")"
          ;;
        creds.push)
          creds_name_is_good || continue
          if [[ ${format[$client]} != plain ]]; then
            failure "this SDK can't seal; use credential_format plain"
            continue
          fi
          arguments=${line#*\"arguments\": } # exactly the body that the engine expects
          call POST /credentials "${arguments%\}}" && result "$body"
          ;;
        creds.delete)
          creds_name_is_good && call DELETE "/credentials/$name" && result "$body"
          ;;
        *) failure "this SDK does not have this method" ;;
      esac
      ;;
    stop)
      result '{}'
      exit
      ;;
    *) failure "this adapter does not support $command" ;;
  esac
done
