package evm

import (
	"encoding/binary"
	"math/big"
	"slices"
)

// RLP puts one of these prefixes plus the size before a string or a list; a size of more than short bytes is written in bytes of its own.
const (
	stringPrefix = 0x80
	listPrefix   = 0xc0
	short        = 55
)

// encodeString writes a string of bytes. A byte below the first prefix stands for itself.
func encodeString(data []byte) []byte {
	if len(data) == 1 && data[0] < stringPrefix {
		return data
	}
	return append(encodeSize(stringPrefix, len(data)), data...)
}

// encodeInt writes a number that is not negative: its bytes without leading zeros. No number is 0.
func encodeInt(n *big.Int) []byte {
	if n == nil {
		return encodeString(nil)
	}
	return encodeString(n.Bytes())
}

func encodeUint(n uint64) []byte { return encodeInt(new(big.Int).SetUint64(n)) }

// encodeList writes a list of what is encoded already.
func encodeList(items ...[]byte) []byte {
	body := slices.Concat(items...)
	return append(encodeSize(listPrefix, len(body)), body...)
}

func encodeSize(prefix byte, size int) []byte {
	if size <= short {
		return []byte{prefix + byte(size)} //nolint:gosec // at most 55
	}
	digits := binary.BigEndian.AppendUint64(nil, uint64(size))
	for digits[0] == 0 {
		digits = digits[1:]
	}
	return append([]byte{prefix + short + byte(len(digits))}, digits...) //nolint:gosec // at most 8
}
