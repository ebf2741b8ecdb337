#include "git/http_subtransport.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>
#include <git2/sys/transport.h>
#include <memory>
#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "http/base_url.hpp"
#include "http/tls_context.hpp"

namespace graft::git {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace web = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t refs_limit = std::size_t{32} << 20U;     // libgit2 keeps all of it in memory
constexpr std::size_t request_limit = std::size_t{16} << 20U;  // what libgit2 asks for: hashes that it has and wants

int failed(const std::string& text) {
  git_error_set_str(GIT_ERROR_HTTP, text.c_str());
  return -1;
}

// One request and its reply, on a connection of its own. Blocks.
class Exchange {
 public:
  // 0, or -1 with libgit2's error set.
  int begin(const HttpSession& session, const std::string& target, const std::string& kind, std::string body) {
    Result<http::BaseUrl> server = http::parse_base_url(session.repository.url);
    if (!server) return failed(server.error().describe());
    if (const int code = connect(session, *server); code != 0) return code;
    web::request<web::string_body> request(body.empty() ? web::verb::get : web::verb::post, server->path + target, 11);
    request.set(web::field::host, server->authority);
    request.set(web::field::user_agent, "git/2 (graftd)");
    request.set(web::field::connection, "close");
    if (!session.login.empty()) request.set(web::field::authorization, "Basic " + base64(session.login));
    if (!body.empty()) request.set(web::field::content_type, fmt::format("application/x-{}-request", kind));
    request.body() = std::move(body);
    request.prepare_payload();
    error_code error;
    on_stream([&](auto& stream) { web::write(stream, request, error); });
    if (error) return failed(fmt::format("the connection broke: {}", error.message()));
    return read_head(request.method() == web::verb::get ? "advertisement" : "result", kind);
  }

  int read(char* buffer, std::size_t size, std::size_t& count) {
    count = 0;
    if (parser_.is_done()) return 0;
    parser_.get().body().data = buffer;
    parser_.get().body().size = size;
    error_code error;
    on_stream([&](auto& stream) { web::read(stream, buffer_, parser_, error); });
    if (error && error != web::error::need_buffer)
      return failed(fmt::format("the reply was cut short: {}", error.message()));
    count = size - parser_.get().body().size;
    return 0;
  }

 private:
  int connect(const HttpSession& session, const http::BaseUrl& server) {
    error_code error;
    tcp::resolver resolver(io_);
    const auto found = resolver.resolve(server.host, std::to_string(server.port), error);
    if (error) return failed(fmt::format("cannot find the address of {}: {}", server.host, error.message()));
    tcp::socket socket(io_);
    asio::connect(socket, found, error);
    if (error) return failed(fmt::format("failed to connect to {}:{}: {}", server.host, server.port, error.message()));
    if (!server.tls) {
      plain_.emplace(std::move(socket));
      return 0;
    }
    Result<http::TlsContext> context = http::TlsContext::load({session.repository.ca_file, {}, {}});
    if (!context) return failed(context.error().describe());
    context_ = std::move(*context);
    const Result<ssl_st*> made = context_->new_session(server);
    if (!made) return failed(made.error().describe());
    tls_.emplace(std::move(socket), *made);
    tls_->set_verify_callback([this](bool trusted, asio::ssl::verify_context& verification) {
      if (!trusted) http::note_distrust(verification.native_handle(), distrust_);
      return trusted;
    });
    tls_->handshake(asio::ssl::stream_base::client, error);
    if (!error) return 0;
    (void)failed(fmt::format("no TLS connection: {}", distrust_.text.empty() ? error.message() : distrust_.text));
    return GIT_ECERTIFICATE;
  }

  int read_head(const std::string& what, const std::string& kind) {
    parser_.body_limit(boost::none);
    error_code error;
    on_stream([&](auto& stream) { web::read_header(stream, buffer_, parser_, error); });
    if (error) return failed(fmt::format("no reply: {}", error.message()));
    const unsigned status = parser_.get().result_int();
    if (status >= 300 && status < 400)
      return failed(fmt::format("it redirects to {}", printable(std::string(parser_.get()[web::field::location]))));
    if (status != 200) return failed(fmt::format("unexpected HTTP status {}", status));
    const std::string type = parser_.get()[web::field::content_type];
    if (!type.starts_with(fmt::format("application/x-{}-{}", kind, what)))
      return failed(fmt::format("the reply is of type {}, not a git server's", quote(printable(type))));
    return 0;
  }

  template <class Use>
  void on_stream(Use use) {
    if (tls_) {
      use(*tls_);
    } else {
      use(*plain_);
    }
  }

  asio::io_context io_{1};
  std::optional<http::TlsContext> context_;
  http::Distrust distrust_;
  std::optional<asio::ssl::stream<tcp::socket>> tls_;
  std::optional<tcp::socket> plain_;
  beast::flat_buffer buffer_{std::size_t{64} << 10U};
  web::response_parser<web::buffer_body> parser_;
};

constexpr const char* kind_name = "git-upload-pack";

// A service of libgit2's: what is written is gathered, and sent at the first reading.
struct Stream {
  git_smart_subtransport_stream base{};
  const HttpSession* session = nullptr;
  bool advertisement = false;
  std::string asked;
  std::unique_ptr<Exchange> exchange;
  std::size_t heard = 0;
};

int read_stream(git_smart_subtransport_stream* base, char* buffer, std::size_t size, std::size_t* count) {
  Stream& stream = *reinterpret_cast<Stream*>(base);
  if (stream.exchange == nullptr) {
    stream.exchange = std::make_unique<Exchange>();
    const std::string target =
        stream.advertisement ? fmt::format("/info/refs?service={}", kind_name) : fmt::format("/{}", kind_name);
    if (const int code = stream.exchange->begin(*stream.session, target, kind_name, std::exchange(stream.asked, {}));
        code != 0)
      return code;
  }
  const int code = stream.exchange->read(buffer, size, *count);
  stream.heard += *count;
  if (stream.advertisement && stream.heard > refs_limit) return failed("the list of refs is too long");
  return code;
}

int write_stream(git_smart_subtransport_stream* base, const char* bytes, std::size_t count) {
  Stream& stream = *reinterpret_cast<Stream*>(base);
  if (stream.asked.size() + count > request_limit) return failed("the request is too long");
  stream.asked.append(bytes, count);
  return 0;
}

void free_stream(git_smart_subtransport_stream* base) {
  const std::unique_ptr<Stream> owned(reinterpret_cast<Stream*>(base));
}

struct Subtransport {
  git_smart_subtransport base{};
  const HttpSession* session = nullptr;
};

int act(git_smart_subtransport_stream** out, git_smart_subtransport* base, const char*, git_smart_service_t service) {
  if (service != GIT_SERVICE_UPLOADPACK_LS && service != GIT_SERVICE_UPLOADPACK)
    return failed("nothing is ever pushed");
  auto stream = std::make_unique<Stream>();
  stream->base = {base, read_stream, write_stream, free_stream};
  stream->session = reinterpret_cast<Subtransport*>(base)->session;
  stream->advertisement = service == GIT_SERVICE_UPLOADPACK_LS;
  *out = &stream.release()->base;
  return 0;
}

int close_nothing(git_smart_subtransport*) { return 0; }

void free_subtransport(git_smart_subtransport* base) {
  const std::unique_ptr<Subtransport> owned(reinterpret_cast<Subtransport*>(base));
}

int make_subtransport(git_smart_subtransport** out, git_transport*, void* session) {
  auto made = std::make_unique<Subtransport>();
  made->base = {act, close_nothing, free_subtransport};
  made->session = static_cast<const HttpSession*>(session);
  *out = &made.release()->base;
  return 0;
}

}  // namespace

int make_http_transport(git_transport** out, git_remote* owner, void* session) {
  git_smart_subtransport_definition definition{make_subtransport, 1, session};
  return git_transport_smart(out, owner, &definition);
}

}  // namespace graft::git
