# What programs in sh sign while they send something else: a line each of part, what was sent and what was signed, in base64.
slip() { # part, sent in base64, signed in base64
	printf '%s\t%s\t%s\n' "$1" "$2" "$3"
}
b64() { base64 | tr -d '\n'; }

body='{"name":"a\\b","text":"one\ntwo\tthree"}'
slip body "$(printf %s "$body" | b64)" "$(echo "$body" | b64)"
body='{"name":"Acme"}'
slip body "$(printf %s "$body" | b64)" "$(echo "$body" | b64)"
slip body "$(printf %s "$body" | b64)" "$(printf '%s\r\n' "$body" | b64)"
slip body "$(printf '{\n"a":1\n}' | b64)" "$(printf '{\r\n"a":1\r\n}' | b64)"
slip body "$(printf '{\r\n"a":1\r\n}' | b64)" "$(printf '{\n"a":1\n}' | b64)"
slip body "$(printf '\357\273\277%s' "$body" | b64)" "$(printf %s "$body" | b64)"
slip body "$(printf '%s\n' "$body" | b64)" "$(printf %s "$body" | b64)"
service=http://127.0.0.1:8765/api/v1/p
slip layout "$(printf %s "$service/assets" | b64)" "$(printf '\n%s' "$service/assets" | b64)"
slip layout "$(printf %s "$service/assets" | b64)" "$(printf ' %s ' "$service/assets" | b64)"
