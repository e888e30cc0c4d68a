// Package machine describes the machine of a measurement: processor, disk, and what else ran in the meantime. Anything
// that cannot be determined is "unknown" or 0.
package machine

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Processor is the model of the processor.
func Processor() string {
	for line := range lines("/proc/cpuinfo") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// HasIFMA reports whether the processor has the instructions by which OpenSSL signs fastest.
func HasIFMA() bool {
	for line := range lines("/proc/cpuinfo") {
		if strings.HasPrefix(line, "flags") {
			return strings.Contains(line+" ", " avx512ifma ")
		}
	}
	return false
}

func lines(path string) func(func(string) bool) {
	data, _ := os.ReadFile(path)
	return strings.SplitSeq(string(data), "\n")
}

// Self is the processor time of this program so far.
func Self() time.Duration { return used(syscall.RUSAGE_SELF) }

// Children is that of the programs that it has started and that have ended.
func Children() time.Duration { return used(syscall.RUSAGE_CHILDREN) }

func used(who int) time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// tick is the unit of times in /proc: USER_HZ is 100 on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// Family is the processor time of the parent of a process, of all that the parent has started, and of those that have ended: of a PostgreSQL
// server, whose parent the process of a connection has.
func Family(member int) time.Duration {
	_, parent, _ := process(member)
	if parent <= 1 {
		return 0
	}
	_, _, sum := process(parent)
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		pid, _ := strconv.Atoi(filepath.Base(path))
		if own, by, _ := process(pid); by == parent {
			sum += own
		}
	}
	return sum
}

// process is the processor time of a process, its parent, and the time including that of its ended children.
func process(pid int) (own time.Duration, parent int, all time.Duration) {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(after)
	if len(fields) < 15 {
		return 0, 0, 0
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(fields[i])
		return n
	}
	own = time.Duration(number(11)+number(12)) * tick
	return own, number(1), own + time.Duration(number(13)+number(14))*tick
}

// Watch is what the machine does from its beginning on.
type Watch struct {
	clock      time.Time
	load       string
	own        time.Duration
	busy, lost time.Duration
}

// Begin begins to watch.
func Begin() Watch {
	busy, lost := ticks()
	return Watch{time.Now(), average(), Self() + Children(), busy, lost}
}

// Noise is what else the machine did in a time: shares of all its cores.
type Noise struct {
	LoadBefore, LoadAfter string  // the average over a minute
	Others                float64 // what other programs used
	Steal                 float64 // what the host gave to others
}

// End is the noise since Begin. Programs that were started and still run count as others.
func (w Watch) End() Noise {
	busy, lost := ticks()
	all := time.Since(w.clock).Seconds() * float64(runtime.NumCPU())
	return Noise{
		w.load, average(), max(0, (busy-w.busy-(Self()+Children()-w.own)).Seconds()/all), (lost - w.lost).Seconds() / all,
	}
}

func average() string {
	for line := range lines("/proc/loadavg") {
		if fields := strings.Fields(line); len(fields) > 0 {
			return fields[0]
		}
	}
	return "unknown"
}

// ticks are how long cores have been busy, and how much the host took away (steal).
func ticks() (busy, lost time.Duration) {
	for line := range lines("/proc/stat") {
		fields := strings.Fields(line)
		if len(fields) < 9 || fields[0] != "cpu" {
			continue
		}
		for _, i := range []int{1, 2, 3, 6, 7} { // user, nice, system, irq, softirq
			n, _ := strconv.Atoi(fields[i])
			busy += time.Duration(n) * tick
		}
		n, _ := strconv.Atoi(fields[8])
		lost = time.Duration(n) * tick
	}
	return busy, lost
}

// Disk is what a folder is on.
type Disk struct {
	Device, FileSystem, Kind string
	Median, P99              time.Duration // of writing 600 bytes and syncing them
}

// String tells it in a line.
func (d Disk) String() string {
	return fmt.Sprintf("%s, %s, %s; 600 bytes written and synced: %s in the median, %s at the 99th percentile",
		d.Device, d.FileSystem, d.Kind, d.Median.Round(10*time.Microsecond), d.P99.Round(10*time.Microsecond))
}

// DiskOf looks at the disk of a folder, and writes to it 200 times.
func DiskOf(folder string) (Disk, error) {
	d := Disk{Device: "unknown", FileSystem: "unknown", Kind: "unknown kind"}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return d, err
	}
	longest := -1
	for line := range lines("/proc/mounts") {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		if at := fields[1]; len(at) > longest && (at == "/" || folder == at || strings.HasPrefix(folder, at+"/")) {
			longest, d.Device, d.FileSystem = len(at), fields[0], fields[2]
		}
	}
	flag, _ := os.ReadFile("/sys/block/" + strings.TrimRight(filepath.Base(d.Device), "0123456789") + "/queue/rotational")
	switch strings.TrimSpace(string(flag)) {
	case "0":
		d.Kind = "does not rotate"
	case "1":
		d.Kind = "rotates, or says so as virtual disks do"
	}
	file, err := os.CreateTemp(folder, "disk")
	if err != nil {
		return d, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	var took []time.Duration
	for range 200 {
		began := time.Now()
		if _, err := file.Write(make([]byte, 600)); err != nil {
			return d, err
		}
		if err := file.Sync(); err != nil {
			return d, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	d.Median, d.P99 = took[len(took)/2], took[len(took)*99/100]
	return d, nil
}
