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

constexpr std::size_t block = 4096;                  // direct access begins and ends on its multiples
constexpr std::size_t chunk = 1u << 20;              // bytes per direct access
constexpr std::size_t direct_read_min = 64u << 10;   // less may be read again soon, and stays in the page cache
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
  // EFBIG: the limit on a file's size, the process's (`ulimit -f`) or the file system's.
  if (error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG) {
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

bool is_plain(const std::string& name) {
  return !name.empty() && name.find('/') == std::string::npos && name != "." && name != "..";
}

/// Memory for direct access.
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
/// kernel a copy and the cache a page that nobody will read, and reads what the disk holds.
struct OpenFile {
  Descriptor cached;
  Descriptor direct;  ///< not good where the file system has no direct access
};

OpenFile open_file(int directory, const std::string& name, int flags) {
  OpenFile file;
  file.cached = Descriptor(::openat(directory, name.c_str(), O_RDWR | O_CLOEXEC | flags, 0600));
  if (file.cached.good()) {
    const int before = errno;
    file.direct = Descriptor(::openat(directory, name.c_str(), O_RDWR | O_CLOEXEC | O_DIRECT));
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

/// Appends `length` bytes at `offset`, by way of `buffer`; fewer where the file ends, or after a count that is no
/// multiple of `grain`. An interrupted read goes on.
bool read_all(int fd, AlignedBuffer& buffer, std::uint64_t offset, std::uint64_t length, std::size_t grain,
              Bytes& out) {
  std::size_t odd = 0;
  while (length > 0 && odd == 0) {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk, length));
    const ssize_t n = ::pread(fd, buffer.data(), size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return false;
    }
    if (n == 0) {
      break;  // truncated under our feet: what was read is what there is
    }
    out.insert(out.end(), buffer.data(), buffer.data() + n);
    offset += static_cast<std::uint64_t>(n);
    length -= static_cast<std::uint64_t>(n);
    odd = static_cast<std::size_t>(n) % grain;
  }
  return true;
}

/// Reads `length` bytes at `offset`, fewer where the file ends before; nothing else of the file is touched.
bool read_range(const OpenFile& file, AlignedBuffer& buffer, std::uint64_t offset, std::uint64_t length, Bytes& out) {
  struct stat about {};
  if (::fstat(file.cached.get(), &about) != 0) {
    return false;
  }
  const auto size = static_cast<std::uint64_t>(about.st_size);
  const std::uint64_t begin = std::min(offset, size);
  length = std::min(length, size - begin);
  out.reserve(static_cast<std::size_t>(length));
  const bool is_direct = file.direct.good() && begin % block == 0 && length >= direct_read_min;
  if (is_direct && !read_all(file.direct.get(), buffer, begin, length - length % block, block, out)) {
    return false;
  }
  return read_all(file.cached.get(), buffer, begin + out.size(), length - out.size(), 1, out);
}

/// One thread's work, in order, and the files it holds open.
struct Lane {
  Descriptor directory;  ///< its own: the kernel tells each descriptor of an error once
  std::map<std::string, OpenFile> open_files;
  AlignedBuffer buffer;
  std::thread thread;
  // Guarded by the disk's mutex:
  std::condition_variable work;
  std::deque<IoOp> waiting;
  std::vector<std::string> renamed;  ///< names whose files the other lane changed: to be opened anew
};

/// Null when it cannot be opened; errno says why.
const OpenFile* open_cached(Lane& lane, const std::string& file, int flags) {
  const auto found = lane.open_files.find(file);
  if (found != lane.open_files.end()) {
    return &found->second;
  }
  OpenFile opened = open_file(lane.directory.get(), file, flags);
  if (!opened.cached.good()) {
    return nullptr;
  }
  if (lane.open_files.size() >= open_files_max) {
    lane.open_files.erase(lane.open_files.begin());
  }
  return &lane.open_files.insert_or_assign(file, std::move(opened)).first->second;
}

IoStatus read_file(Lane& lane, const IoOp& op, SharedBytes& bytes) {
  const OpenFile* const file = open_cached(lane, op.file, 0);
  if (file == nullptr) {
    return status_of(errno);
  }
  Bytes content;
  if (!read_range(*file, lane.buffer, op.offset, op.length, content)) {
    return status_of(errno);
  }
  bytes = std::make_shared<const Bytes>(std::move(content));
  return IoStatus::ok;
}

IoStatus list(const Lane& lane, SharedBytes& bytes) {
  const int copy = ::fcntl(lane.directory.get(), F_DUPFD_CLOEXEC, 0);
  DIR* const stream = copy < 0 ? nullptr : ::fdopendir(copy);
  if (stream == nullptr) {
    return status_of(errno);
  }
  ::rewinddir(stream);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* const entry = ::readdir(stream)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  const int read_error = errno;
  ::closedir(stream);
  if (read_error != 0) {
    errno = read_error;
    return status_of(errno);
  }
  std::sort(names.begin(), names.end());
  Bytes listing;
  for (const std::string& name : names) append_name(listing, name);
  bytes = std::make_shared<const Bytes>(std::move(listing));
  return IoStatus::ok;
}

IoStatus reserve(int directory, ByteView zeros, const IoOp& op) {
  const OpenFile file = open_file(directory, op.file, O_CREAT);
  struct stat about {};
  if (!file.cached.good() || ::fstat(file.cached.get(), &about) != 0) {
    return status_of(errno);
  }
  std::uint64_t at = static_cast<std::uint64_t>(about.st_size);
  std::uint64_t unsynced = 0;
  while (at < op.offset) {
    // To the next multiple of a chunk, so that all but the first and the last are direct.
    const std::uint64_t size = std::min<std::uint64_t>(chunk - at % chunk, op.offset - at);
    const ByteView piece = zeros.first(static_cast<std::size_t>(size));
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

}  // namespace

struct Disk::State {
  State(const std::string& name, Report to) : directory_name(name), report(std::move(to)) {
    for (Lane* lane : {&stream, &background}) {
      lane->directory = Descriptor(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      check(lane->directory.good(), "the node's directory can be opened");
    }
  }

  Lane& lane_of(IoLane lane) { return lane == IoLane::stream ? stream : background; }
  void run_lane(Lane& lane);
  bool next(Lane& lane, IoOp& op);
  void run_reservations();
  IoCompletion execute(Lane& lane, const IoOp& op);
  IoStatus run(Lane& lane, const IoOp& op, SharedBytes& bytes);
  void forget(Lane& lane, const std::string& file);
  void note_failure(const IoOp& op, int error_number);

  std::string directory_name;
  Report report;
  Lane stream;
  Lane background;
  AlignedBuffer zeros;

  std::mutex mutex;
  std::condition_variable reservation_work;
  std::condition_variable reservation_done;
  std::deque<IoOp> reservations;
  std::map<std::string, int> reserving;  // reservations submitted and not done, per file
  bool stopping = false;
  std::string first_failure;

  std::atomic<bool> failed = false;
  std::atomic<std::uint64_t> syncs = 0;
  std::atomic<std::uint64_t> bytes_written = 0;
  std::thread reservation_thread;
};

void Disk::State::note_failure(const IoOp& op, int error_number) {
  const std::lock_guard lock(mutex);
  if (first_failure.empty()) {
    first_failure = std::string(verb(op.kind)) + " " + directory_name + "/" + op.file + ": " + ::strerror(error_number);
  }
  failed = true;
}

/// The file of this name changes: neither lane may go on writing to the one it had open.
void Disk::State::forget(Lane& lane, const std::string& file) {
  lane.open_files.erase(file);
  const std::lock_guard lock(mutex);
  lane_of(&lane == &stream ? IoLane::background : IoLane::stream).renamed.push_back(file);
}

IoStatus Disk::State::run(Lane& lane, const IoOp& op, SharedBytes& bytes) {
  const auto told = [](bool good) { return good ? IoStatus::ok : status_of(errno); };
  switch (op.kind) {
    case IoKind::read:
      return read_file(lane, op, bytes);
    case IoKind::write: {
      const OpenFile* const file = open_cached(lane, op.file, O_CREAT);
      if (file == nullptr || !write_blocks(*file, lane.buffer, view(op.bytes), op.offset)) {
        return status_of(errno);
      }
      bytes_written += view(op.bytes).size();
      return IoStatus::ok;
    }
    case IoKind::sync: {
      ++syncs;
      const OpenFile* const file = open_cached(lane, op.file, 0);
      return told(file != nullptr && ::fdatasync(file->cached.get()) == 0);
    }
    case IoKind::sync_dir:
      ++syncs;
      return told(::fsync(lane.directory.get()) == 0);
    case IoKind::rename:
      forget(lane, op.file);
      forget(lane, op.target);
      return told(::renameat(lane.directory.get(), op.file.c_str(), lane.directory.get(), op.target.c_str()) == 0);
    case IoKind::remove:
      forget(lane, op.file);
      return told(::unlinkat(lane.directory.get(), op.file.c_str(), 0) == 0);
    case IoKind::list:
      return list(lane, bytes);
    case IoKind::reserve:
      return reserve(lane.directory.get(), ByteView(zeros.data(), chunk), op);
  }
  return IoStatus::failed;
}

IoCompletion Disk::State::execute(Lane& lane, const IoOp& op) {
  IoCompletion completion{.token = op.token, .kind = op.kind, .lane = op.lane, .status = IoStatus::failed};
  if (failed) {
    return completion;
  }
  errno = 0;
  completion.status = run(lane, op, completion.bytes);
  if (completion.status == IoStatus::failed) {
    note_failure(op, errno);
  } else if (failed) {
    completion.status = IoStatus::failed;  // the other lane failed meanwhile: nothing counts any more
    completion.bytes.reset();
  }
  return completion;
}

/// False when the lane has ended. What is taken waits for no reservation any more.
bool Disk::State::next(Lane& lane, IoOp& op) {
  std::unique_lock lock(mutex);
  lane.work.wait(lock, [&] { return stopping || !lane.waiting.empty(); });
  if (lane.waiting.empty()) {
    return false;
  }
  op = std::move(lane.waiting.front());
  lane.waiting.pop_front();
  reservation_done.wait(
      lock, [&] { return reserving.find(op.file) == reserving.end() && reserving.find(op.target) == reserving.end(); });
  for (const std::string& name : lane.renamed) {
    lane.open_files.erase(name);
  }
  lane.renamed.clear();
  return true;
}

void Disk::State::run_lane(Lane& lane) {
  std::vector<IoCompletion> done;
  IoOp op;
  while (next(lane, op)) {
    done.push_back(execute(lane, op));
    bool more = false;
    {
      const std::lock_guard lock(mutex);
      more = !lane.waiting.empty();
    }
    const bool may_wait = more && (op.kind == IoKind::write || op.kind == IoKind::rename || op.kind == IoKind::remove);
    if (!may_wait) {
      report(std::exchange(done, {}));
    }
    op = {};  // a large buffer is not kept while the lane rests
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
    done.push_back(execute(stream, op));  // of the lane only the directory is used: it never changes
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
  for (Lane* lane : {&state_->stream, &state_->background}) {
    lane->thread = std::thread([state = state_.get(), lane] { state->run_lane(*lane); });
  }
  state_->reservation_thread = std::thread([state = state_.get()] { state->run_reservations(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Disk::~Disk() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->stream.work.notify_all();
  state_->background.work.notify_all();
  state_->reservation_work.notify_all();
  state_->reservation_thread.join();
  state_->stream.thread.join();
  state_->background.thread.join();
}

void Disk::submit(std::vector<IoOp>& ops) {
  {
    const std::lock_guard lock(state_->mutex);
    for (IoOp& op : ops) {
      const bool nameless = op.kind == IoKind::sync_dir || op.kind == IoKind::list;
      check(nameless || is_plain(op.file), "a file effect names a plain file in the node's directory");
      check(op.kind != IoKind::rename || is_plain(op.target), "a file's new name is plain too");
      if (op.kind == IoKind::reserve) {
        ++state_->reserving[op.file];
        state_->reservations.push_back(std::move(op));
        state_->reservation_work.notify_one();
      } else {
        Lane& lane = state_->lane_of(op.lane);
        lane.waiting.push_back(std::move(op));
        lane.work.notify_one();
      }
    }
  }
  ops.clear();
}

DiskCounters Disk::counters() const {
  return {.syncs = state_->syncs.load(), .bytes_written = state_->bytes_written.load()};
}

std::string Disk::failure() const {
  const std::lock_guard lock(state_->mutex);
  return state_->first_failure;
}

}  // namespace coffer::net
