#include "core/base/phases.h"

#include "core/base/check.h"

namespace coffer {

std::string_view name(TransferPhase phase) {
  switch (phase) {
    case TransferPhase::execute:
      return "execute";
    case TransferPhase::compensate:
      return "compensate";
    case TransferPhase::try_legs:
      return "try";
    case TransferPhase::confirm:
      return "confirm";
    case TransferPhase::cancel:
      return "cancel";
    case TransferPhase::prepare:
      return "prepare";
    case TransferPhase::commit:
      return "commit";
    case TransferPhase::abort:
      return "abort";
  }
  check_failed("a phase is one of the list");
}

std::string_view name(Side side) {
  switch (side) {
    case Side::both:
      return "entry";
    case Side::debit:
      return "debit";
    case Side::credit:
      return "credit";
  }
  check_failed("a side is one of the list");
}

std::string_view name(StepState state) {
  switch (state) {
    case StepState::sent:
      return "sent";
    case StepState::done:
      return "done";
    case StepState::refused:
      return "refused";
  }
  check_failed("a step's state is one of the list");
}

}  // namespace coffer
