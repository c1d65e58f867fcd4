import Glibc
import Metrics

/// The standard process_* metrics, from /proc as the Prometheus client libraries read them.
enum ProcessMetrics {
    static func all() -> [any Metric] {
        [
            Gauge(
                "process_cpu_seconds_total", help: "User and system time spent.", type: "counter"
            ) {
                var usage = rusage()
                guard getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { return nil }
                return seconds(usage.ru_utime) + seconds(usage.ru_stime)
            },
            Gauge("process_resident_memory_bytes", help: "Resident memory.") {
                statm(field: 1).map { $0 * Double(getpagesize()) }
            },
            Gauge("process_virtual_memory_bytes", help: "Virtual memory.") {
                statm(field: 0).map { $0 * Double(getpagesize()) }
            },
            Gauge("process_open_fds", help: "Open file descriptors.") { openDescriptors() },
            Gauge("process_max_fds", help: "File descriptors that may be open.") {
                var limit = rlimit()
                let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
                guard getrlimit(resource, &limit) == 0 else { return nil }
                return Double(limit.rlim_cur)
            },
            Gauge("process_start_time_seconds", help: "Start, in seconds since 1970.") {
                [started = wallClockSeconds()] in started
            },
        ]
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    private static func wallClockSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// A number of /proc/self/statm, in pages.
    private static func statm(field: Int) -> Double? {
        guard let file = fopen("/proc/self/statm", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return nil }
        let text = String(
            decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let fields = text.split(separator: " ")
        return field < fields.count ? Double(fields[field]) : nil
    }

    private static func openDescriptors() -> Double? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Without ".", ".." and the directory itself.
        return Double(count - 3)
    }
}
