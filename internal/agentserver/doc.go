// Package agentserver stands in for the program that customers ran to approve: the Signing Agent. It has that program's
// configuration, its REST API and its local feed, on top of an agent that somebody else makes (see [Backend]).
//
// Everything that programs depend on is unchanged: paths, bodies and the spelling of their keys, error texts, and frames byte
// for byte. Unsafe behavior is changed:
//
//   - It listens beyond this machine only if callers must prove who they are, or if the configuration says that they need not.
//   - Requests from pages in browsers are refused, unless their origin is in the configuration. So is a Host that is not ours.
//   - The configuration is shown without its PIN and password.
//   - A success is an answer of the service, never a guess.
//
// A [Hub] gives the service's frames to any number of subscribers. Each has a queue of fixed size. One that is so slow that
// its queue is full loses what is in it, and is sent instead, as soon as it reads again, all that is pending then: it misses
// no action that can still be decided, and holds up nobody.
package agentserver
