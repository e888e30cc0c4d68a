package sandbox

// Serve is what [Start] does with the listener that it makes.
var Serve = (*Sandbox).serve
