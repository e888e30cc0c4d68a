// Package pgstore is what stores in PostgreSQL share: how they connect, and which servers and tables they refuse.
package pgstore
