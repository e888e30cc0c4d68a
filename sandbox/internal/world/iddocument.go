package world

import (
	"encoding/binary"
	"encoding/hex"
)

// IDDocument is what an agent signs to complete its registration. It has the structure of the service's, a message of
// protobuf, whose schema is not public.
func (c *CoreClient) IDDocument() []byte {
	const role = "qredo-core-client"
	blsKey, _ := hex.DecodeString(c.Agent.BLSPublicKey) // what RegisterAgent wrote
	ecKey, _ := hex.DecodeString(c.Agent.ECPublicKey)
	keys := appendField(nil, 1, []byte(role))
	keys = appendField(keys, 4, blsKey)
	keys = appendField(keys, 6, ecKey)
	document := []byte{1 << 3, 2} // field 1, the number 2
	document = appendField(document, 2, decode(string(c.ID), base58))
	document = appendField(document, 9, []byte(role))
	return appendField(document, 17, keys)
}

// appendField appends a field of protobuf that has bytes.
func appendField(message []byte, number uint64, value []byte) []byte {
	const bytes = 2
	message = binary.AppendUvarint(message, number<<3|bytes)
	message = binary.AppendUvarint(message, uint64(len(value)))
	return append(message, value...)
}
