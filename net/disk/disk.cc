#include "net/disk/disk.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/check.h"

namespace coffer::net {

namespace {

constexpr std::size_t block = 4096;                  // direct writes begin and end on its multiples
constexpr std::size_t chunk = 1u << 20;              // bytes per direct write
constexpr std::uint64_t zero_sync_every = 8u << 20;  // so that the log's own syncs never wait for a whole segment
constexpr std::size_t open_files_max = 16;

/// An open file descriptor; closed with its owner. A close error after a sync that succeeded loses nothing.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  int get() const { return fd_; }
  bool good() const { return fd_ >= 0; }

 private:
  int fd_;
};

IoStatus status_of(int error_number) {
  if (error_number == ENOSPC || error_number == EDQUOT) {
    return IoStatus::no_space;
  }
  return error_number == ENOENT ? IoStatus::not_found : IoStatus::failed;
}

std::string_view verb(IoKind kind) {
  switch (kind) {
    case IoKind::read:
      return "read";
    case IoKind::write:
      return "write";
    case IoKind::sync:
      return "sync";
    case IoKind::sync_dir:
      return "sync of the directory of";
    case IoKind::rename:
      return "rename";
    case IoKind::remove:
      return "removal";
    case IoKind::reserve:
      return "reservation";
    case IoKind::list:
      return "listing of the directory of";
  }
  return "operation";
}

/// Memory for direct writes.
class AlignedBuffer {
 public:
  AlignedBuffer() : bytes_(static_cast<std::byte*>(std::aligned_alloc(block, chunk))) {
    check(bytes_ != nullptr, "there is memory for a disk's buffer");
    std::memset(bytes_, 0, chunk);
  }
  ~AlignedBuffer() { std::free(bytes_); }
  AlignedBuffer(const AlignedBuffer&) = delete;
  AlignedBuffer& operator=(const AlignedBuffer&) = delete;
  std::byte* data() { return bytes_; }

 private:
  std::byte* bytes_;
};

/// One file, opened twice: through the page cache, and past it for whole blocks (log frames are), which saves the
/// kernel a copy and the cache a page that nobody will read.
struct OpenFile {
  Descriptor cached;
  Descriptor direct;  ///< not good where the file system has no direct access
};

OpenFile open_file(int directory, const std::string& name, int flags) {
  OpenFile file;
  file.cached = Descriptor(::openat(directory, name.c_str(), O_RDWR | O_CLOEXEC | flags, 0600));
  if (file.cached.good()) {
    const int before = errno;
    file.direct = Descriptor(::openat(directory, name.c_str(), O_WRONLY | O_CLOEXEC | O_DIRECT));
    errno = before;
  }
  return file;
}

/// Writes all of `bytes`. A short write is continued; an interrupted one has written nothing and goes on.
bool write_all(int fd, ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return false;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

/// The same past the page cache, where the bytes are whole blocks.
bool write_blocks(const OpenFile& file, AlignedBuffer& buffer, ByteView bytes, std::uint64_t offset) {
  if (!file.direct.good() || offset % block != 0 || bytes.size() % block != 0) {
    return write_all(file.cached.get(), bytes, offset);
  }
  while (!bytes.empty()) {
    const ByteView piece = bytes.first(std::min(chunk, bytes.size()));
    std::memcpy(buffer.data(), piece.data(), piece.size());
    if (!write_all(file.direct.get(), ByteView(buffer.data(), piece.size()), offset)) {
      return false;
    }
    bytes = bytes.subspan(piece.size());
    offset += piece.size();
  }
  return true;
}

bool read_all(int fd, Bytes& out) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) {
    return false;
  }
  out.resize(static_cast<std::size_t>(about.st_size));
  std::size_t at = 0;
  while (at < out.size()) {
    const ssize_t n = ::pread(fd, out.data() + at, out.size() - at, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return false;
    }
    if (n == 0) {
      break;  // truncated under our feet: what was read is what there is
    }
    at += static_cast<std::size_t>(n);
  }
  out.resize(at);
  return true;
}

}  // namespace

struct Disk::State {
  State(const std::string& name, Report to) : directory_name(name), report(std::move(to)) {
    directory = Descriptor(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    check(directory.good(), "the node's directory can be opened");
  }

  void run_ordered();
  void run_reservations();
  IoCompletion execute(const IoOp& op);
  IoStatus run(const IoOp& op, SharedBytes& bytes);
  IoStatus read_file(const IoOp& op, SharedBytes& bytes);
  IoStatus list(SharedBytes& bytes) const;
  IoStatus reserve(const IoOp& op);
  void note_failure(const IoOp& op, int error_number);
  const OpenFile* open_cached(const std::string& file, int flags);
  void wait_for_reservation(const std::string& file);

  std::string directory_name;
  Report report;
  Descriptor directory;
  std::map<std::string, OpenFile> open_files;  // ordered thread only
  AlignedBuffer buffer;                        // ordered thread only
  AlignedBuffer zeros;

  std::mutex mutex;
  std::condition_variable ordered_work;
  std::condition_variable reservation_work;
  std::condition_variable reservation_done;
  std::deque<IoOp> ordered;
  std::deque<IoOp> reservations;
  std::map<std::string, int> reserving;  // reservations submitted and not done, per file
  bool stopping = false;
  std::string first_failure;

  std::atomic<bool> failed = false;
  std::atomic<std::uint64_t> syncs = 0;
  std::atomic<std::uint64_t> bytes_written = 0;
  std::thread ordered_thread;
  std::thread reservation_thread;
};

void Disk::State::note_failure(const IoOp& op, int error_number) {
  const std::lock_guard lock(mutex);
  if (first_failure.empty()) {
    first_failure = std::string(verb(op.kind)) + " " + directory_name + "/" + op.file + ": " + ::strerror(error_number);
  }
  failed = true;
}

/// Null when it cannot be opened; errno says why.
const OpenFile* Disk::State::open_cached(const std::string& file, int flags) {
  const auto found = open_files.find(file);
  if (found != open_files.end()) {
    return &found->second;
  }
  OpenFile opened = open_file(directory.get(), file, flags);
  if (!opened.cached.good()) {
    return nullptr;
  }
  if (open_files.size() >= open_files_max) {
    open_files.erase(open_files.begin());
  }
  return &open_files.insert_or_assign(file, std::move(opened)).first->second;
}

void Disk::State::wait_for_reservation(const std::string& file) {
  std::unique_lock lock(mutex);
  reservation_done.wait(lock, [&] { return reserving.find(file) == reserving.end(); });
}

IoStatus Disk::State::read_file(const IoOp& op, SharedBytes& bytes) {
  const OpenFile* const file = open_cached(op.file, 0);
  if (file == nullptr) {
    return status_of(errno);
  }
  Bytes content;
  if (!read_all(file->cached.get(), content)) {
    return status_of(errno);
  }
  const ByteView read = range_read(content, op);
  bytes = std::make_shared<const Bytes>(read.begin(), read.end());
  return IoStatus::ok;
}

IoStatus Disk::State::list(SharedBytes& bytes) const {
  const int copy = ::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0);
  DIR* const stream = copy < 0 ? nullptr : ::fdopendir(copy);
  if (stream == nullptr) {
    return status_of(errno);
  }
  ::rewinddir(stream);
  std::vector<std::string> names;
  while (const dirent* const entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(stream);
  std::sort(names.begin(), names.end());
  Bytes listing;
  for (const std::string& name : names) append_name(listing, name);
  bytes = std::make_shared<const Bytes>(std::move(listing));
  return IoStatus::ok;
}

IoStatus Disk::State::run(const IoOp& op, SharedBytes& bytes) {
  switch (op.kind) {
    case IoKind::read:
      return read_file(op, bytes);
    case IoKind::write: {
      const OpenFile* const file = open_cached(op.file, O_CREAT);
      if (file == nullptr || !write_blocks(*file, buffer, view(op.bytes), op.offset)) {
        return status_of(errno);
      }
      bytes_written += view(op.bytes).size();
      return IoStatus::ok;
    }
    case IoKind::sync: {
      ++syncs;
      const OpenFile* const file = open_cached(op.file, 0);
      return file != nullptr && ::fdatasync(file->cached.get()) == 0 ? IoStatus::ok : status_of(errno);
    }
    case IoKind::sync_dir:
      ++syncs;
      return ::fsync(directory.get()) == 0 ? IoStatus::ok : status_of(errno);
    case IoKind::rename:
      open_files.erase(op.file);
      open_files.erase(op.target);
      return ::renameat(directory.get(), op.file.c_str(), directory.get(), op.target.c_str()) == 0 ? IoStatus::ok
                                                                                                   : status_of(errno);
    case IoKind::remove:
      open_files.erase(op.file);
      return ::unlinkat(directory.get(), op.file.c_str(), 0) == 0 ? IoStatus::ok : status_of(errno);
    case IoKind::list:
      return list(bytes);
    case IoKind::reserve:
      return reserve(op);
  }
  return IoStatus::failed;
}

IoStatus Disk::State::reserve(const IoOp& op) {
  const OpenFile file = open_file(directory.get(), op.file, O_CREAT);
  struct stat about {};
  if (!file.cached.good() || ::fstat(file.cached.get(), &about) != 0) {
    return status_of(errno);
  }
  std::uint64_t at = static_cast<std::uint64_t>(about.st_size);
  std::uint64_t unsynced = 0;
  while (at < op.offset) {
    // To the next multiple of a chunk, so that all but the first and the last are direct.
    const std::uint64_t size = std::min<std::uint64_t>(chunk - at % chunk, op.offset - at);
    const ByteView piece(zeros.data(), static_cast<std::size_t>(size));
    const int fd = file.direct.good() && at % block == 0 && size % block == 0 ? file.direct.get() : file.cached.get();
    if (!write_all(fd, piece, at)) {
      return status_of(errno);
    }
    at += size;
    unsynced += size;
    if (unsynced >= zero_sync_every || at == op.offset) {
      if (::fdatasync(file.cached.get()) != 0) {
        return status_of(errno);
      }
      unsynced = 0;
    }
  }
  return IoStatus::ok;
}

IoCompletion Disk::State::execute(const IoOp& op) {
  IoCompletion completion{.token = op.token, .kind = op.kind, .status = IoStatus::failed};
  if (failed) {
    return completion;
  }
  errno = 0;
  completion.status = run(op, completion.bytes);
  if (completion.status == IoStatus::failed) {
    note_failure(op, errno);
  }
  return completion;
}

void Disk::State::run_ordered() {
  std::vector<IoCompletion> done;
  for (;;) {
    IoOp op;
    {
      std::unique_lock lock(mutex);
      ordered_work.wait(lock, [&] { return stopping || !ordered.empty(); });
      if (ordered.empty()) {
        return;
      }
      op = std::move(ordered.front());
      ordered.pop_front();
    }
    wait_for_reservation(op.file);
    done.push_back(execute(op));
    bool more = false;
    {
      const std::lock_guard lock(mutex);
      more = !ordered.empty();
    }
    const bool somebody_waits = op.kind == IoKind::sync || op.kind == IoKind::sync_dir || op.kind == IoKind::read;
    if (somebody_waits || !more) {
      report(std::exchange(done, {}));
    }
  }
}

void Disk::State::run_reservations() {
  for (;;) {
    IoOp op;
    {
      std::unique_lock lock(mutex);
      reservation_work.wait(lock, [&] { return stopping || !reservations.empty(); });
      if (reservations.empty()) {
        return;
      }
      op = std::move(reservations.front());
      reservations.pop_front();
    }
    std::vector<IoCompletion> done;
    done.push_back(execute(op));
    {
      const std::lock_guard lock(mutex);
      const auto entry = reserving.find(op.file);
      if (--entry->second == 0) {
        reserving.erase(entry);
      }
    }
    reservation_done.notify_all();
    report(std::move(done));
  }
}

Disk::Disk(const std::string& directory, Report report)
    : state_(std::make_unique<State>(directory, std::move(report))) {
  // Signals are for the main thread: a disk call is never interrupted.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  state_->ordered_thread = std::thread([state = state_.get()] { state->run_ordered(); });
  state_->reservation_thread = std::thread([state = state_.get()] { state->run_reservations(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Disk::~Disk() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->ordered_work.notify_all();
  state_->reservation_work.notify_all();
  state_->reservation_thread.join();
  state_->ordered_thread.join();
}

void Disk::submit(std::vector<IoOp>& ops) {
  bool has_reservation = false;
  bool has_ordered = false;
  {
    const std::lock_guard lock(state_->mutex);
    for (IoOp& op : ops) {
      const bool nameless = op.kind == IoKind::sync_dir;
      check(
          nameless || (!op.file.empty() && op.file.find('/') == std::string::npos && op.file != "." && op.file != ".."),
          "a file effect names a plain file in the node's directory");
      if (op.kind == IoKind::reserve) {
        ++state_->reserving[op.file];
        state_->reservations.push_back(std::move(op));
        has_reservation = true;
      } else {
        state_->ordered.push_back(std::move(op));
        has_ordered = true;
      }
    }
  }
  ops.clear();
  if (has_reservation) {
    state_->reservation_work.notify_one();
  }
  if (has_ordered) {
    state_->ordered_work.notify_one();
  }
}

DiskCounters Disk::counters() const {
  return {.syncs = state_->syncs.load(), .bytes_written = state_->bytes_written.load()};
}

std::string Disk::failure() const {
  const std::lock_guard lock(state_->mutex);
  return state_->first_failure;
}

}  // namespace coffer::net
