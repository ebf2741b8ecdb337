#include "metrics/process.hpp"

#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

namespace graft::metrics {

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// In /proc/self, not /proc/stat: systemd's ProcSubset=pid leaves the first alone.
void read_memory(ProcessUse& use) {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  if (!(file >> size >> resident)) return;
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  use.virtual_bytes = size * page;
  use.resident_bytes = resident * page;
}

void count_files(ProcessUse& use) {
  std::error_code error;
  std::uint64_t count = 0;
  std::filesystem::directory_iterator each("/proc/self/fd", error);
  for (; !error && each != std::filesystem::directory_iterator(); each.increment(error)) ++count;
  if (!error && count > 0) use.open_files = count - 1;  // one of them is the directory being read
}

}  // namespace

ProcessUse process_use() {
  ProcessUse use;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) use.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  read_memory(use);
  count_files(use);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) use.max_files = limit.rlim_cur;
  return use;
}

}  // namespace graft::metrics
