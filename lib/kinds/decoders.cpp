#include "kinds/decoders.hpp"

#include <array>

#include "kinds/dashboard_spec.hpp"
#include "kinds/folder_spec.hpp"
#include "kinds/organization_member_spec.hpp"
#include "kinds/organization_spec.hpp"
#include "kinds/service_account_spec.hpp"
#include "kinds/service_account_token_spec.hpp"
#include "manifest/schema.hpp"

namespace graft::kinds {

manifest::Decoders all_decoders() {
  static const std::array<const manifest::Decoder*, 6> table{
      &organization_decoder(),    &organization_member_decoder(),
      &service_account_decoder(), &service_account_token_decoder(),
      &folder_decoder(),          &dashboard_decoder()};
  return table;
}

std::string manifest_reference() { return manifest::reference(all_decoders()); }

std::string document_schema(const manifest::Decoder& decoder) {
  return manifest::document_schema(decoder, all_decoders());
}

std::string document_schema() { return manifest::document_schema(all_decoders()); }

}  // namespace graft::kinds
