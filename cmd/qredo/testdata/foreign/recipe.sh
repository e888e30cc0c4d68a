# docs/foreign-clients.md, "Without root, and without touching this machine", as it is run by the test: in a namespace of mounts and
# of the network, so that neither /etc/hosts nor port 443 of this machine is touched, and no other host is reached.
# Arguments: the programs to run, each with its interpreter. It works in the current directory.
set -eu
ip link set lo up
cp /etc/hosts hosts
echo '127.0.0.1 api.qredo.network sandbox-api.qredo.network play-api.qredo.network' >>hosts
mount --bind hosts /etc/hosts
qredo sandbox serve --tls --listen 127.0.0.1:443 --keys keys --env-file served.env >served.txt &
server=$!
trap 'kill $server' EXIT
until [ -s served.env ]; do
	kill -0 $server
	sleep 0.02
done
eval "$(sed -n 's/^#   trust  //p' served.env)" # what serve prints is what is meant
for program in "$@"; do
	$program keys/apikey keys/private.pem
done
