// grafana-simulator: the simulator as a program, for tests that run graftd as a program too.
#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <thread>

#include "faults.hpp"
#include "settings.hpp"
#include "simulator.hpp"
#include "text.hpp"

namespace graft::simulator {
namespace {

// HOST:PORT and USER:PASSWORD are both a text, a colon, and the rest.
bool split_at(const std::string& text, bool last, std::string& before, std::string& after) {
  const auto colon = last ? text.rfind(':') : text.find(':');
  if (colon == std::string::npos) return false;
  before = text.substr(0, colon);
  after = text.substr(colon + 1);
  return true;
}

struct Arguments {
  std::string listen = "127.0.0.1:0";
  std::string admin = "admin:admin";
  std::vector<std::string> settings;
  std::vector<std::string> faults;
  bool no_apis = false;
};

std::string read_listen(const Arguments& arguments, Options& options) {
  std::string port;
  if (!split_at(arguments.listen, true, options.host, port)) return "--listen wants HOST:PORT";
  const auto number = to_integer(port);
  if (!number || *number < 0 || *number > 65535) return "--listen wants a port from 0 to 65535";
  options.port = static_cast<unsigned short>(*number);
  return {};
}

std::string read_settings_of(const Arguments& arguments, Options& options) {
  for (const std::string& text : arguments.settings) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || !text.starts_with("GF_")) return "--set wants GF_SECTION_KEY=VALUE: " + text;
    const std::string name = text.substr(0, equals);
    if (!is_known_setting(name)) std::cerr << "no effect in the simulator: " << name << '\n';
    options.settings[name] = text.substr(equals + 1);
  }
  return {};
}

// The error, or "".
std::string read(const Arguments& arguments, Options& options, std::vector<Fault>& faults) {
  if (const auto error = read_listen(arguments, options); !error.empty()) return error;
  if (!split_at(arguments.admin, false, options.admin_user, options.admin_password))
    return "--admin wants USER:PASSWORD";
  if (const auto error = read_settings_of(arguments, options); !error.empty()) return error;
  for (const std::string& text : arguments.faults) {
    const auto fault = parse_fault(text);
    if (!fault) return "--fault wants " + std::string(fault_syntax) + ": " + text;
    faults.push_back(*fault);
  }
  options.apis = !arguments.no_apis;
  return {};
}

int serve(const Options& options, const std::vector<Fault>& faults, const sigset_t& ends) {
  Simulator simulator(options);
  for (const Fault& fault : faults) simulator.add_fault(fault);
  std::cout << "listening on " << simulator.url() << std::endl;
  int signal = 0;
  sigwait(&ends, &signal);
  return 0;
}

}  // namespace
}  // namespace graft::simulator

int main(int argc, char** argv) {
  using namespace graft::simulator;
  // Blocked before any thread starts, so that only sigwait() sees them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  CLI::App app("Answers as a Grafana 12.4 does, from memory, for tests on loopback.", "grafana-simulator");
  Arguments arguments;
  app.add_option("--listen", arguments.listen, "HOST:PORT; port 0 takes any free one")->capture_default_str();
  app.add_option("--admin", arguments.admin, "USER:PASSWORD of the server administrator")->capture_default_str();
  app.add_option("--set", arguments.settings, "GF_SECTION_KEY=VALUE, as Grafana's environment; may be repeated");
  app.add_option("--fault", arguments.faults,
                 std::string(fault_syntax) +
                     "; kinds: refuse, drop_reply, delay:MILLISECONDS, status:CODE[ BODY], truncate:BYTES, "
                     "reply_raw:CODE[ BODY]; may be repeated");
  app.add_flag("--no-apis", arguments.no_apis, "answer /apis with 404, as Grafana did before version 12");
  CLI11_PARSE(app, argc, argv);
  Options options;
  std::vector<Fault> faults;
  if (const auto error = read(arguments, options, faults); !error.empty()) {
    std::cerr << "grafana-simulator: " << error << '\n';
    return 2;
  }
  try {
    return serve(options, faults, ends);
  } catch (const std::exception& error) {
    std::cerr << "grafana-simulator: " << error.what() << '\n';
    return 1;
  }
}
