// `coffer client`: the wallet's operations from the command line, over the binary port. What is asked and answered is
// exactly what the HTTP edge asks and answers, so that both say the same.
#include "cli/client.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <CLI/CLI.hpp>

#include "cli/verbs.h"
#include "core/base/uuid_number.h"
#include "net/client/client.h"
#include "net/driver/clock.h"
#include "net/http/calls.h"
#include "net/http/json_text.h"
#include "net/http/strict_json.h"

namespace coffer::cli {

namespace {

struct Options : ClientOptions {
  OutputFormat format = OutputFormat::text;
  std::string account;
  std::string to;
  std::string amount;
  std::string currency;
  std::string id;
  std::uint64_t source = 0;
  std::uint64_t number = 0;  ///< 0: the id is not numbered
  std::int64_t expires_in_s = 3600;
  std::vector<std::string> parts;  ///< "bob=12.50"
  std::string consistency = "linearizable";
};

/// What a verb asks for, as the HTTP edge would receive it.
struct Question {
  net::HttpListener listener = net::HttpListener::clients;
  net::HttpRequest request;
};

Question post(const std::string& path, const net::JsonObject& body) {
  Question question;
  question.request.method = "POST";
  question.request.path = path;
  question.request.content_type = "application/json";
  question.request.body = body.str();
  return question;
}

Question get(const std::string& path, const std::string& query,
             net::HttpListener listener = net::HttpListener::clients) {
  Question question;
  question.listener = listener;
  question.request.method = "GET";
  question.request.path = path;
  question.request.query = query;
  return question;
}

/// One segment of a path, or one value of a query, whatever stands in it (RFC 3986, 2.1).
std::string encoded(const std::string& text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~' || c == ':') {
      out.push_back(c);
    } else {
      out.append("%").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    }
  }
  return out;
}

/// 4xx that blame the request itself are usage; the rest is a refusal.
int exit_code_of(const net::HttpResponse& response, std::string_view problem) {
  if (response.status < 400) {
    return ok;
  }
  if (problem == net::row_of(net::Problem::id_gap).code) {
    return refused;
  }
  if (response.status == 409 || response.status == 503 || response.status == 504) {
    return unavailable_or_unknown;
  }
  if (response.status >= 500) {
    return internal;
  }
  return response.status == 400 ? usage : refused;
}

std::string text_of(const net::JsonValue& value) {
  switch (value.type) {
    case net::JsonType::string:
      return value.text;
    case net::JsonType::number:
      return std::to_string(value.integer);
    case net::JsonType::boolean:
      return value.boolean ? "true" : "false";
    case net::JsonType::null:
      return "-";
    case net::JsonType::array:
      return std::to_string(value.items.size()) + " items";
    case net::JsonType::object: {
      std::string text;
      for (const auto& [key, member] : value.members) {
        text += (text.empty() ? "" : " ") + key + "=" + text_of(member);
      }
      return text;
    }
  }
  return {};
}

/// One line per member; one more per row of a list.
void print_text(const net::JsonValue& body) {
  for (const auto& [key, value] : body.members) {
    if (value.type != net::JsonType::array) {
      std::printf("%-14s %s\n", key.c_str(), text_of(value).c_str());
      continue;
    }
    for (const net::JsonValue& item : value.items) {
      std::printf("%-14s %s\n", key.c_str(), text_of(item).c_str());
    }
  }
}

int print(const net::HttpResponse& response, OutputFormat format) {
  const net::JsonDocument document = net::parse_json(response.body);
  const net::JsonValue* problem = document.root.find("code");
  const int code = exit_code_of(response, problem == nullptr ? std::string_view() : problem->text);
  if (format == OutputFormat::json) {
    std::printf("%s\n", response.body.c_str());
  } else if (code == ok) {
    print_text(document.root);
  } else {
    const auto member = [&](std::string_view key) {
      const net::JsonValue* value = document.root.find(key);
      return value == nullptr ? std::string() : text_of(*value);
    };
    complain(member("code") + ": " + member("detail"));
  }
  const net::JsonValue* balanced = document.root.find("balanced");
  return balanced != nullptr && !balanced->boolean ? audit_mismatch : code;
}

int run(const Options& options, Question question) {
  const Result<net::ClientConfig> config = connection(options.connection);
  if (config.has_error()) {
    complain(config.error().what);
    return usage;
  }
  question.request.prefer = "wait=" + std::to_string(options.wait_s);
  std::variant<net::HttpResponse, net::Call> read = net::read_call(question.listener, question.request);
  if (const auto* mistake = std::get_if<net::HttpResponse>(&read)) {
    return print(*mistake, options.format);
  }
  net::Call& call = std::get<net::Call>(read);
  net::Client client(*config);
  Bytes reply;
  client.submit(std::move(call.request), [&](Bytes bytes) { reply = std::move(bytes); });
  client.run_all();
  const net::HttpResponse response = net::answer(call, reply, {}, net::read_clocks().wall);
  const int code = print(response, options.format);
  if (code == unavailable_or_unknown && options.format == OutputFormat::text) {
    complain("`coffer status` shows which nodes answer at their client addresses");
  }
  if (code == unavailable_or_unknown && call.transaction != TransferId() && options.format == OutputFormat::text) {
    const bool names_hold = call.route == net::HttpRoute::capture_hold || call.route == net::HttpRoute::void_hold;
    complain("to learn what became of it, repeat the command" +
             (names_hold ? std::string() : " with --id " + net::to_string(call.transaction)));
  }
  return code;
}

std::string id_of(const Options& options) {
  if (options.number > 0) {
    return net::to_string(uuid_numbered({options.source, options.number}));
  }
  return options.id.empty() ? net::to_string(net::fresh_uuid()) : options.id;
}

net::JsonObject pocket_body(const Options& options) {
  net::JsonObject body;
  body.text("account", options.account);
  if (!options.amount.empty()) {
    body.text("amount", options.amount).text("transaction_id", id_of(options));
  }
  return body.text("currency", options.currency);
}

net::JsonObject transfer_body(const Options& options) {
  return net::JsonObject()
      .text("from_account", options.account)
      .text("to_account", options.to)
      .text("amount", options.amount)
      .text("currency", options.currency)
      .text("transaction_id", id_of(options));
}

net::JsonObject hold_body(const Options& options) {
  return pocket_body(options).number("expires_in", options.expires_in_s);
}

/// Nothing is wrong with a part of a split that says whom and how much; what is wrong with these is the edge's to say.
std::string mistake_of_part(const std::string& part) {
  return part.find('=') == std::string::npos ? "'" + part + "' is not TO=AMOUNT, such as bob=12.50" : "";
}

net::JsonObject split_body(const Options& options) {
  std::vector<std::string> parts;
  for (const std::string& part : options.parts) {
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string amount = part.substr(std::min(equals + 1, part.size()));
    parts.push_back(net::JsonObject().text("to_account", part.substr(0, equals)).text("amount", amount).str());
  }
  return net::JsonObject()
      .text("from_account", options.account)
      .text("currency", options.currency)
      .text("transaction_id", id_of(options))
      .raw("parts", net::json_array(parts));
}

/// The hold's id stands in the path.
net::JsonObject capture_body(const Options& options) {
  return net::JsonObject()
      .text("account", options.account)
      .text("to_account", options.to)
      .text("amount", options.amount)
      .text("currency", options.currency);
}

using Shared = std::shared_ptr<Options>;

void add_id_options(CLI::App& verb, Options& options) {
  CLI::Option* id =
      verb.add_option("--id", options.id, "the transaction id (default: a fresh one); the same id moves money once");
  CLI::Option* number = verb.add_option("--number", options.number, "1, 2, 3, ...: an id by this number of --source")
                            ->check(CLI::Range(std::uint64_t{1}, id_number_max))
                            ->excludes(id);
  verb.add_option("--source", options.source, "who numbers what this account moves (default 0)")
      ->check(CLI::Range(std::uint64_t{0}, id_source_max))
      ->needs(number);
}

/// `numbered`: of what may have an id by a source's number.
void add_pocket_arguments(CLI::App& verb, Options& options, bool with_amount, bool numbered = false) {
  verb.add_option("ACCOUNT", options.account)->required();
  if (with_amount) {
    verb.add_option("AMOUNT", options.amount, "decimal, such as 12.50")->required();
  }
  verb.add_option("CURRENCY", options.currency, "ISO 4217 code, such as USD")->required();
  if (numbered) {
    add_id_options(verb, options);
  } else if (with_amount) {
    verb.add_option("--id", options.id, "the transaction id (default: a fresh one); the same id moves money once");
  }
}

/// `coffer client freeze ACCOUNT`: the verb is the last part of the path.
void add_change_verb(CLI::App& client, const Shared& options, int& exit_code, const std::string& verb,
                     const std::string& doc) {
  CLI::App* change = client.add_subcommand(verb, doc);
  change->add_option("ACCOUNT", options->account)->required();
  change->add_option("--id", options->id, "the id of the request (default: a fresh one); the same id acts once");
  change->callback([=, &exit_code] {
    const net::JsonObject body = net::JsonObject().text("transaction_id", id_of(*options));
    exit_code = run(*options, post("/v1/accounts/" + encoded(options->account) + "/" + verb, body));
  });
}

void add_account_verbs(CLI::App& client, const Shared& options, int& exit_code) {
  add_change_verb(client, options, exit_code, "freeze", "refuse everything new on an account");
  add_change_verb(client, options, exit_code, "unfreeze", "undo a freeze");
  add_change_verb(client, options, exit_code, "close", "end an account that is empty, for ever");
  CLI::App* account = client.add_subcommand("account", "whether an account is open, frozen or closed");
  account->add_option("ACCOUNT", options->account)->required();
  account->callback(
      [=, &exit_code] { exit_code = run(*options, get("/v1/accounts/" + encoded(options->account), "")); });
}

void add_money_verbs(CLI::App& client, const Shared& options, int& exit_code) {
  CLI::App* open = client.add_subcommand("open", "open an account, or a further currency of one");
  add_pocket_arguments(*open, *options, false);
  open->callback([=, &exit_code] { exit_code = run(*options, post("/v1/accounts", pocket_body(*options))); });

  CLI::App* deposit = client.add_subcommand("deposit", "bring money into the wallet");
  add_pocket_arguments(*deposit, *options, true, true);
  deposit->callback([=, &exit_code] { exit_code = run(*options, post("/v1/deposits", pocket_body(*options))); });

  CLI::App* withdraw = client.add_subcommand("withdraw", "take money out of the wallet");
  add_pocket_arguments(*withdraw, *options, true, true);
  withdraw->callback([=, &exit_code] { exit_code = run(*options, post("/v1/withdrawals", pocket_body(*options))); });

  CLI::App* transfer = client.add_subcommand("transfer", "move money between two accounts");
  transfer->add_option("FROM", options->account)->required();
  transfer->add_option("TO", options->to)->required();
  transfer->add_option("AMOUNT", options->amount, "decimal, such as 12.50")->required();
  transfer->add_option("CURRENCY", options->currency, "ISO 4217 code, such as USD")->required();
  add_id_options(*transfer, *options);
  transfer->callback(
      [=, &exit_code] { exit_code = run(*options, post("/v1/wallet/balance_transfer", transfer_body(*options))); });

  CLI::App* split = client.add_subcommand("split", "pay several accounts from one: all of them, or none");
  split->add_option("FROM", options->account)->required();
  split->add_option("CURRENCY", options->currency, "ISO 4217 code, such as USD")->required();
  split->add_option("PARTS", options->parts, "1 to 16 of TO=AMOUNT, such as bob=12.50")
      ->required()
      ->check(CLI::Validator(mistake_of_part, ""));
  split->add_option("--id", options->id, "the transaction id (default: a fresh one); the same id moves money once");
  split->callback([=, &exit_code] { exit_code = run(*options, post("/v1/wallet/split", split_body(*options))); });
}

/// The id of a hold and its account, which every verb but the first names.
void add_hold_arguments(CLI::App& verb, Options& options) {
  verb.add_option("HOLD", options.id, "the id of the hold")->required();
  verb.add_option("ACCOUNT", options.account, "the account whose money it keeps")->required();
}

void add_hold_verbs(CLI::App& client, const Shared& options, int& exit_code) {
  CLI::App* hold = client.add_subcommand("hold", "keep part of a balance for a later capture");
  add_pocket_arguments(*hold, *options, true);
  hold->add_option("--expires-in", options->expires_in_s, "seconds until it is let go (default 3600, at most 2678400)");
  hold->callback([=, &exit_code] { exit_code = run(*options, post("/v1/holds", hold_body(*options))); });

  CLI::App* capture = client.add_subcommand("capture", "end a hold by moving what it keeps, or part of that");
  add_hold_arguments(*capture, *options);
  capture->add_option("TO", options->to, "the account that gets it")->required();
  capture->add_option("AMOUNT", options->amount, "decimal, at most what is held")->required();
  capture->add_option("CURRENCY", options->currency, "that of the hold")->required();
  capture->callback([=, &exit_code] {
    exit_code = run(*options, post("/v1/holds/" + encoded(options->id) + "/capture", capture_body(*options)));
  });

  CLI::App* let_go = client.add_subcommand("void", "end a hold and let go what it keeps");
  add_hold_arguments(*let_go, *options);
  let_go->callback([=, &exit_code] {
    const net::JsonObject body = net::JsonObject().text("account", options->account);
    exit_code = run(*options, post("/v1/holds/" + encoded(options->id) + "/void", body));
  });

  CLI::App* show = client.add_subcommand("show-hold", "whether a hold is live, and how it ended");
  add_hold_arguments(*show, *options);
  show->callback([=, &exit_code] {
    exit_code = run(*options, get("/v1/holds/" + encoded(options->id), "account=" + encoded(options->account)));
  });
}

void add_read_verbs(CLI::App& client, const Shared& options, int& exit_code) {
  CLI::App* balance = client.add_subcommand("balance", "what an account holds");
  add_pocket_arguments(*balance, *options, false);
  balance->add_option("--consistency", options->consistency, "linearizable (default) or eventual");
  balance->callback([=, &exit_code] {
    exit_code =
        run(*options, get("/v1/accounts/" + encoded(options->account) + "/balance",
                          "currency=" + encoded(options->currency) + "&consistency=" + encoded(options->consistency)));
  });

  CLI::App* status = client.add_subcommand("show", "what became of a transfer");
  status->add_option("ID", options->id, "the transaction id")->required();
  status->add_option("--from", options->account, "its debit account (without: all shards are asked)");
  status->callback([=, &exit_code] {
    const std::string query = options->account.empty() ? "" : "from_account=" + encoded(options->account);
    exit_code = run(*options, get("/v1/transfers/" + encoded(options->id), query));
  });

  CLI::App* trial = client.add_subcommand("trial-balance", "the sums of all accounts; exit code 6 unless zero");
  trial->callback(
      [=, &exit_code] { exit_code = run(*options, get("/v1/admin/trial_balance", "", net::HttpListener::admin)); });
}

constexpr std::pair<std::string_view, std::string_view> examples[] = {
    {"open", "alice USD"},
    {"deposit", "alice 100.00 USD"},
    {"transfer", "alice bob 12.50 USD"},
    {"transfer", "alice bob 12.50 USD --source 7 --number 1   then 2, 3, ... of alice, none left out"},
    {"split", "alice USD bob=10.00 carol=2.50"},
    {"balance", "alice USD --output json"},
    {"hold", "alice 40.00 USD --expires-in 600   prints the hold_id that the next three take"},
    {"capture", "HOLD alice bob 30.00 USD"},
    {"void", "HOLD alice"},
    {"show-hold", "HOLD alice"},
    {"withdraw", "alice 5.00 USD"},
    {"show", "TRANSACTION --from alice"},
    {"freeze", "alice"},
    {"unfreeze", "alice"},
    {"close", "alice"},
    {"account", "alice"},
    {"trial-balance", "--output json"},
    {"reconfigure", "1 1 2 4                      shard 1 shall have the voters 1, 2 and 4"},
    {"transfer-leadership", "1 3                  node 3 shall lead shard 1"},
};
constexpr const char* exit_codes =
    "Exit codes: 0 done, 2 the request is wrong, 6 the books do not balance, 7 unavailable or unknown (repeat with "
    "the\n"
    "same --id), 8 refused.";

/// Of one verb; of all where none is named.
std::string example_of(std::string_view wanted) {
  std::string lines;
  for (const auto& [verb, arguments] : examples) {
    if (wanted.empty() || verb == wanted) {
      lines.append("  coffer client ").append(verb).append(" ").append(arguments).append("\n");
    }
  }
  return lines;
}

}  // namespace

void add_client_verb(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("client", "open accounts, move money or hold it, read balances");
  add_connection_options(*verb, options->connection);
  add_output_option(*verb, options->format);
  verb->add_option("--wait", options->wait_s, "seconds to wait for an answer (default 10)")->check(CLI::Range(1, 60));
  verb->require_subcommand(1);
  add_money_verbs(*verb, options, exit_code);
  add_hold_verbs(*verb, options, exit_code);
  add_account_verbs(*verb, options, exit_code);
  add_read_verbs(*verb, options, exit_code);
  add_membership_verbs(*verb, options, exit_code);
  for (CLI::App* one : verb->get_subcommands({})) {
    one->fallthrough();
    one->footer("Example:\n" + example_of(one->get_name()) + exit_codes);
  }
  verb->footer("Examples:\n" + example_of("") + exit_codes);
}

}  // namespace coffer::cli
