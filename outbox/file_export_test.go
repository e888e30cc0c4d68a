package outbox

import "bytes"

// Damage changes the bytes that the file keeps of an entry, but not their sum.
func (f *FileStore) Damage(key string, change func(data []byte) []byte) error {
	return f.update(func(tx fileTx) error {
		entries := tx.Bucket(entriesBucket)
		value := bytes.Clone(entries.Get([]byte(key)))
		return entries.Put([]byte(key), append(value[:SumSize:SumSize], change(value[SumSize:])...))
	})
}

// Fill stores many entries without waiting for the disk after each.
func (f *FileStore) Fill(entries []Entry) error {
	err := f.update(func(tx fileTx) error {
		for _, e := range entries {
			if _, _, err := tx.add(e); err != nil {
				return err
			}
		}
		return nil
	})
	for i := range entries {
		f.queues.enter(&entries[i])
	}
	return err
}

// Lose removes the record of an entry, and nothing else.
func (f *FileStore) Lose(key string) error {
	return f.update(func(tx fileTx) error { return tx.Bucket(entriesBucket).Delete([]byte(key)) })
}

// DamageBegun changes what was stored when an attempt began.
func (f *FileStore) DamageBegun(key string) error {
	return f.update(func(tx fileTx) error {
		value := bytes.Clone(tx.Bucket(begunBucket).Get([]byte(key)))
		return tx.Bucket(begunBucket).Put([]byte(key), bytes.Replace(value, []byte("true"), []byte("tru "), 1))
	})
}

// Misplace has an entry wait in a lane, whatever is stored of it.
func (f *FileStore) Misplace(key string, lane Lane) {
	f.queues.mu.Lock()
	defer f.queues.mu.Unlock()
	x := f.queues.all[key]
	if x == nil {
		x = f.queues.make(key, lane, 0)
	}
	f.queues.lift(x)
	x.lane = lane
	f.queues.free(x)
}

// PutDue stores what version 0.1.0 would: the bucket that it makes when it opens a file, and in it a key, unless that is nil.
func (f *FileStore) PutDue(key []byte) error {
	return f.update(func(tx fileTx) error {
		due, err := tx.CreateBucketIfNotExists(dueBucket)
		if err != nil || key == nil {
			return err
		}
		return due.Put(key, nil)
	})
}
