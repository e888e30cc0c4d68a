package world

type line struct {
	Tx *txLine `json:"tx,omitzero"`
}
