// Package trial is what the tests of the approver and of its stores share: what every store must do, a
// sandbox with something to approve, and approvers in processes of their own that are killed.
package trial
