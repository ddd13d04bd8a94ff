// What can happen to a node's files while it is down. Every function says what it could not find; empty when the damage
// is done.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/cli/program.h"

namespace coffer::test {

/// Takes the node's directory.
using Damage = std::function<std::string(const std::string& directory)>;

namespace damage {

inline constexpr std::size_t block = 4096;

/// The names that begin so, ascending.
inline std::vector<std::string> names(const std::string& directory, const std::string& prefix) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind(prefix, 0) == 0) {
      found.push_back(name);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline void flip(const std::string& path, std::uint64_t offset) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  char byte = 0;
  file.seekg(static_cast<std::streamoff>(offset));
  file.get(byte);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte ^ 0x10));
}

/// A frame of the stream, as its header says (docs/FORMATS.md, Stream frame).
struct Frame {
  std::string file;
  std::uint64_t offset;
  std::uint64_t number;
  std::uint32_t length;  ///< of the payload; 0: it carries nothing but the mark
};
inline std::vector<Frame> frames(const std::string& directory) {
  std::vector<Frame> found;
  for (const std::string& file : names(directory, "stream-")) {
    const std::string bytes = content_of(directory + "/" + file);
    for (std::size_t at = 0; at + block <= bytes.size(); at += block) {
      Frame frame{file, at, 0, 0};
      std::memcpy(&frame.number, bytes.data() + at + 16, sizeof frame.number);
      std::memcpy(&frame.length, bytes.data() + at + 24, sizeof frame.length);
      if (bytes.compare(at, 4, "CFS1") == 0) {
        found.push_back(frame);
      }
    }
  }
  std::sort(found.begin(), found.end(), [](const Frame& a, const Frame& b) { return a.number < b.number; });
  return found;
}

/// A byte of the frame's payload, or of its header if it has none.
inline std::string flip_in(const std::string& directory, const Frame& frame) {
  flip(directory + "/" + frame.file, frame.offset + (frame.length > 0 ? 64 + frame.length / 2 : 20));
  return {};
}
inline std::string in_last_frame(const std::string& directory) {
  const std::vector<Frame> all = frames(directory);
  return all.empty() ? "no frame" : flip_in(directory, all.back());
}
inline std::string in_last_frame_with_records(const std::string& directory) {
  const std::vector<Frame> all = frames(directory);
  const auto last = std::find_if(all.rbegin(), all.rend(), [](const Frame& frame) { return frame.length > 0; });
  return last == all.rend() ? "no frame with records" : flip_in(directory, *last);
}
inline std::string in_middle_frame(const std::string& directory) {
  std::vector<Frame> all = frames(directory);
  std::erase_if(all, [](const Frame& frame) { return frame.length == 0; });
  return all.size() < 3 ? "fewer than three frames" : flip_in(directory, all[all.size() / 2]);
}
inline std::string in_hard_state(const std::string& directory, int copies) {
  const std::string path = directory + "/hard-state";
  if (!std::filesystem::exists(path)) {
    return "no hard-state";
  }
  for (int copy = 0; copy < copies; ++copy) {
    flip(path, static_cast<std::uint64_t>(copy) * block + 60);
  }
  return {};
}

/// The last file of this kind.
inline std::string last(const std::string& directory, const std::string& prefix) {
  const std::vector<std::string> found = names(directory, prefix);
  return found.empty() ? "" : directory + "/" + found.back();
}
inline std::string first(const std::string& directory, const std::string& prefix) {
  const std::vector<std::string> found = names(directory, prefix);
  return found.empty() ? "" : directory + "/" + found.front();
}

/// `part` of the file's bytes in, in thousandths.
inline Damage flip_at(std::string prefix, std::uint64_t part) {
  return [=](const std::string& directory) {
    const std::string path = last(directory, prefix);
    if (path.empty()) {
      return "no file " + prefix + "*";
    }
    flip(path, std::filesystem::file_size(path) * part / 1000);
    return std::string();
  };
}
inline Damage cut_to(std::string prefix, std::uint64_t part) {
  return [=](const std::string& directory) {
    const std::string path = last(directory, prefix);
    if (path.empty()) {
      return "no file " + prefix + "*";
    }
    std::filesystem::resize_file(path, std::filesystem::file_size(path) * part / 1000);
    return std::string();
  };
}
inline Damage remove_last(std::string prefix) {
  return [=](const std::string& directory) {
    const std::string path = last(directory, prefix);
    return !path.empty() && std::filesystem::remove(path) ? std::string() : "no file " + prefix + "*";
  };
}
inline Damage remove_first(std::string prefix) {
  return [=](const std::string& directory) {
    const std::string path = first(directory, prefix);
    return !path.empty() && std::filesystem::remove(path) ? std::string() : "no file " + prefix + "*";
  };
}
inline Damage remove_all(std::string prefix) {
  return [=](const std::string& directory) {
    const std::vector<std::string> found = names(directory, prefix);
    for (const std::string& name : found) {
      std::filesystem::remove(directory + "/" + name);
    }
    return found.empty() ? "no file " + prefix + "*" : std::string();
  };
}
/// Cuts the segment of the last frame with records in the middle of that frame.
inline std::string cut_in_last_frame(const std::string& directory) {
  const std::vector<Frame> all = frames(directory);
  const auto found = std::find_if(all.rbegin(), all.rend(), [](const Frame& frame) { return frame.length > 0; });
  if (found == all.rend()) {
    return "no frame with records";
  }
  std::filesystem::resize_file(directory + "/" + found->file, found->offset + 64 + found->length / 2);
  return {};
}

}  // namespace damage

/// A file system for one node that ends with it: a tmpfs in a mount namespace of the node's own (and, unless root, a
/// user namespace), with the files of its directory copied into it. Used in the child, before it becomes the node.
namespace confined {

[[noreturn]] inline void give_up(const char* what) {
  std::perror(what);
  ::_exit(126);
}

inline void write_text(const char* path, const std::string& text) {
  const int fd = ::open(path, O_WRONLY);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    give_up(path);
  }
  ::close(fd);
}

inline void enter_own_namespace() {
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(user == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) {
    give_up("a namespace of the node's own");
  }
  if (user != 0) {
    write_text("/proc/self/uid_map", "0 " + std::to_string(user) + " 1");
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/gid_map", "0 " + std::to_string(group) + " 1");
  }
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    give_up("mounts of the node's own");
  }
}

inline void mount_over(const std::string& directory) {
  const std::string files = directory + ".files";
  std::filesystem::rename(directory, files);
  std::filesystem::create_directory(directory);
  enter_own_namespace();
  if (::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=64m,mode=700") != 0) {
    give_up("a tmpfs");
  }
  std::filesystem::copy(files, directory, std::filesystem::copy_options::recursive);
}

/// Not one more byte fits.
inline void full(const std::string& directory) {
  mount_over(directory);
  const int filler = ::open((directory + "/filler").c_str(), O_WRONLY | O_CREAT, 0600);
  const std::string bytes(1u << 16, 'x');
  for (std::size_t size = bytes.size(); size > 0;) {
    if (::write(filler, bytes.data(), size) <= 0) {
      size /= 2;
    }
  }
  ::close(filler);
}
/// There is room again. Empty, or why not.
inline std::string make_room(pid_t node, const std::string& directory) {
  const std::string filler = "/proc/" + std::to_string(node) + "/root" + directory + "/filler";
  return ::unlink(filler.c_str()) == 0 ? "" : filler + ": " + std::strerror(errno);
}

inline void read_only(const std::string& directory) {
  mount_over(directory);
  if (::mount("tmpfs", directory.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
    give_up("a read-only tmpfs");
  }
}

}  // namespace confined

}  // namespace coffer::test
