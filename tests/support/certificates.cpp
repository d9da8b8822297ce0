#include "support/certificates.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>
#include <sys/wait.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "support/paths.hpp"

namespace vipauth::test {
namespace {

CertificateKey new_key() {
  auto key = CertificateKey::generate();
  if (!key) throw std::runtime_error(key.error().to_string());
  return std::move(*key);
}

CertificateRequest request_of(std::string_view name, const CertificateKey& key) {
  auto request = CertificateRequest::create(name_of(name), key);
  if (!request) throw std::runtime_error(request.error().to_string());
  return std::move(*request);
}

}  // namespace

Asker::Asker(std::string_view name) : key(new_key()), request(request_of(name, key)) {}

std::string odd_request(const std::vector<OddName>& names, bool spoiled) {
  EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  X509_REQ* request = X509_REQ_new();
  X509_NAME* subject = X509_NAME_new();
  for (const OddName& name : names) {
    // Made by hand: the usual functions would refuse what is too long.
    ASN1_STRING* text = ASN1_STRING_type_new(name.type == 0 ? V_ASN1_UTF8STRING : name.type);
    ASN1_STRING_set(text, name.bytes.data(), static_cast<int>(name.bytes.size()));
    X509_NAME_ENTRY* entry = X509_NAME_ENTRY_new();
    X509_NAME_ENTRY_set_object(entry, OBJ_nid2obj(NID_commonName));
    ASN1_STRING* data = X509_NAME_ENTRY_get_data(entry);
    ASN1_STRING_copy(data, text);
    X509_NAME_add_entry(subject, entry, -1, 0);
    X509_NAME_ENTRY_free(entry);
    ASN1_STRING_free(text);
  }
  X509_REQ_set_version(request, 0);
  X509_REQ_set_subject_name(request, subject);
  X509_REQ_set_pubkey(request, key);
  X509_REQ_sign(request, key, EVP_sha256());
  if (spoiled) {
    EVP_PKEY* other = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
    X509_REQ_sign(request, other, EVP_sha256());
    EVP_PKEY_free(other);
  }
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509_REQ(bio, request);
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(length));
  BIO_free(bio);
  X509_NAME_free(subject);
  X509_REQ_free(request);
  EVP_PKEY_free(key);
  return out;
}

std::string openssl(const std::filesystem::path& folder, const std::string& arguments, int* exit_code) {
  const std::string command = "cd \"" + folder.string() + "\" && openssl " + arguments + " 2>&1 </dev/null";
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run openssl");
  std::string out;
  std::array<char, 4096> block{};
  std::size_t count = 0;
  while ((count = std::fread(block.data(), 1, block.size(), pipe)) > 0) out.append(block.data(), count);
  const int status = ::pclose(pipe);
  if (exit_code != nullptr) *exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

std::string foreign_request(const TempHome& home, const std::string& common_name, const std::string& key,
                            const std::string& more) {
  int exit_code = 0;
  const std::string out =
      openssl(home.path(),
              "req -new -nodes -newkey " + key +
                  " -keyout foreign.pem -out foreign.csr -subj '/CN=" + common_name + "' " + more,
              &exit_code);
  if (exit_code != 0) throw std::runtime_error("openssl req: " + out);
  return home.read("foreign.csr");
}

CertificateAuthority authority_in(const TempHome& home, const CertificateAuthority::Options& options) {
  auto authority = CertificateAuthority::open_or_create(home / "certificates", "oracle1", options);
  if (!authority) throw std::runtime_error(authority.error().to_string());
  return std::move(*authority);
}

CertificateAuthority authority_in(const TempHome& home, const TestClock& time) {
  CertificateAuthority::Options options;
  options.clock = time.clock();
  return authority_in(home, options);
}

void put_recorded_root(const TempHome& home) {
  namespace fs = std::filesystem;
  const fs::path data = fs::path(VIPAUTH_TEST_DATA) / "volttron" / "certs_data";
  for (const char* folder : {"certificates", "certificates/certs", "certificates/private"})
    home.make_folder(folder);
  fs::copy_file(data / "ca.crt", home / "certificates/certs/oracle1-root-ca.crt");
  fs::copy_file(data / "ca.pem", home / "certificates/private/oracle1-root-ca.pem");
  home.set_mode("certificates/certs/oracle1-root-ca.crt", 0644);
  home.set_mode("certificates/private/oracle1-root-ca.pem", 0600);
}

}  // namespace vipauth::test
