package control

// NewDefault makes a client as [Default] is.
var NewDefault = newDefault
