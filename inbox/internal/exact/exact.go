// Package exact writes JSON from which the same is read.
package exact

import (
	"encoding/json"
	"errors"
	"reflect"
)

// JSON returns a value as JSON, or an error where what is read from it would be another value: JSON cannot hold every text and time.
func JSON[T any](v T) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var again T
	if err := json.Unmarshal(data, &again); err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(v, again) {
		return nil, errors.New("inbox: a text that is not UTF-8, or a time that is not of UTC, cannot be stored")
	}
	return data, nil
}
