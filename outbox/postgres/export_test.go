package postgres

// OverlookPooler has a store not know that there is a pooler between it and the database.
func OverlookPooler(s *Store) { s.db.OverlookPooler() }
