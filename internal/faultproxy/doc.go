// Package faultproxy stands between a client and an HTTP server and does to connections and messages what networks,
// proxies, gateways and load balancers do: it refuses, resets, cuts, holds back, repeats, and answers in the server's
// place. It speaks HTTP/1.1 (RFC 9112), HTTP/2 over TLS (RFC 9113) and WebSocket (RFC 6455), and is written from these
// alone: it knows neither the server nor the client.
//
// A plan says what happens to each request. The [Record] of a request says what was true of it: how often the server
// got it, and how it answered each time. Tests judge a client by these.
package faultproxy
