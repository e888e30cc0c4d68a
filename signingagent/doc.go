// Package signingagent is a signing agent: a program that is a member of custody groups, holds its own keys, and approves by
// signing with them.
package signingagent
