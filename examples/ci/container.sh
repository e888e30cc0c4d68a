# Runs the sandbox as its container does: nobody's rights, a root that holds the program alone and is read-only, a folder for data.
#   run.sh ROOT DATA BEFORE_SCRIPT
# in namespaces of its own for mounts, network and processes. It prints a line for each thing that was seen to be right.
set -eu
root=$1 data=$2 before=$3
chroot=$(command -v chroot)
ip link set lo up
ip address add 10.9.9.9/32 dev lo # the machine as others see it
mount --bind "$root" "$root"
mount --bind "$data" "$root/data"
mount -o remount,bind,ro "$root"

within() { env -i HOME=/data QREDO_BASE_URL="${base:-http://127.0.0.1:8765/api/v1/p}" ${ca:+QREDO_CA_FILE=/data/ca.pem} "$chroot" --userspec=65532:65532 "$root" /qredo "$@"; }
serve() {
	env -i HOME=/data QREDO_CONTROL_TOKEN=known-to-this-job-only-1 "$chroot" --userspec=65532:65532 "$root" /qredo sandbox serve --listen 0.0.0.0:8765 --data /data "$@" >"$data.log" 2>&1 &
	server=$!
	n=0
	until within sandbox health >/dev/null 2>&1; do # as the HEALTHCHECK does
		n=$((n + 1))
		[ $n -lt 200 ] || { cat "$data.log"; within sandbox health; exit 1; }
		sleep 0.05
	done
}
end() {
	kill -TERM $server
	asked=$(date +%s)
	wait $server || { echo "it ended with $?"; cat "$data.log"; exit 1; }
	grep -q 'the sandbox has stopped' "$data.log"
	[ $(($(date +%s) - asked)) -lt 5 ]
}

serve
echo "healthy"
grep -q 'It can be reached from other machines: http://10.9.9.9:8765' "$data.log" && echo "tells where it is reached"
grep -qE '^(Uid|Gid):\s65532\s65532\s65532\s65532' /proc/$server/status && echo "nobody"
touch "$root/file" 2>/dev/null || echo "the root is read-only"
within sandbox users add alice@example.com >/dev/null && echo "controlled from within"
end
serve
within sandbox users list | grep -q alice@example.com && echo "its data survive"
end

# TLS, and a job that reaches it by a name and shares no files with it, as in examples/ci/gitlab.yml.
base=https://127.0.0.1:8765/api/v1/p ca=yes
serve --tls --public-url https://qredo:8765
echo "10.9.9.9 qredo" >"$data.hosts"
mount --bind "$data.hosts" /etc/hosts
export QREDO_BASE_URL=https://qredo:8765/api/v1/p
qredo sandbox state 2>/dev/null || echo "trusted by nobody who was not told"
sh -eu "$before"
export QREDO_CA_FILE="$PWD/qredo/ca.pem" QREDO_API_KEY_FILE="$PWD/qredo/apikey" QREDO_PRIVATE_KEY_FILE="$PWD/qredo/private.pem"
qredo asset list | grep -q BTC-TESTNET && echo "a job's own key"
QREDO_CONTROL_TOKEN= qredo sandbox state 2>&1 | grep -q 'need the control token' && echo "not controlled from elsewhere without the token"
QREDO_CONTROL_TOKEN=known-to-this-job-only-1 qredo sandbox users list | grep -q alice@example.com && echo "controlled from elsewhere with it"
end
