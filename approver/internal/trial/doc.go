// Package trial is what the tests of the approver and of its stores share: what every store must do, a
// sandbox with something to approve, and a clock that tests set.
package trial
