// Package trail keeps the audit trail: a folder of files to which events are appended and from
// which nothing is ever taken away.
//
// A line is {"n":…,"chain":…,"event":{…}}: the number of the event, a digest, and the event as it
// was handed in. The digest of a line covers its number, its event and the digest of the line
// before, over all files from the first on, so that no event can be changed, left out or put in
// without every later line being wrong; Verify looks. With a key the digests cannot be made anew by
// who does not have it. That the newest events were cut off shows nowhere within the folder: keep
// Head elsewhere, as the log does, and compare.
//
// Several processes may write to one folder, one after the other by a lock of the operating system
// (where it has flock; elsewhere one process writes). What a process that was killed left half
// written is set aside beside its file. A reader needs no lock.
package trail
