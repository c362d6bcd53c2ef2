#!/bin/sh
# Sends a message and streams an answer through Parley with nothing but curl.
set -eu
url=${PARLEY_URL:-http://localhost:4000}
key=${PARLEY_KEY:-sk-1234}
agent=${PARLEY_AGENT:-hello}

call() { # method, text, path after the agent
  curl --silent --show-error --fail-with-body --no-buffer "$url/a2a/$agent$3" \
    --header "Authorization: Bearer $key" \
    --header "Content-Type: application/json" \
    --data '{
      "jsonrpc": "2.0",
      "id": "1",
      "method": "'"$1"'",
      "params": { "message": { "role": "user", "messageId": "'"$(date +%s%N)"'", "parts": [{ "kind": "text", "text": "'"$2"'" }] } }
    }'
  echo
}

call message/send "Hello, who are you?" /message/send
call message/stream "stream these words one by one" ""
