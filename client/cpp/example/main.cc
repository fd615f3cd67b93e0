// Decides on the token that is given on standard input, and says who it is.
//
//   example HOST:PORT [SCOPE] < token
#include <wemasy/tokens/token_client.h>

#include <iostream>
#include <string>

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << "usage: example HOST:PORT [SCOPE] < token\n";
    return 2;
  }
  wemasy::tokens::TokenClientOptions options;
  options.targets = {argv[1]};
  wemasy::tokens::TokenClient client(options);

  std::string token;
  std::getline(std::cin, token);
  wemasy::tokens::TokenRequirements requirements;
  if (argc == 3) requirements.scopes = {argv[2]};
  const auto validation = client.Validate(token, requirements);
  if (!validation.ok()) {
    // Nobody can say: the request must not pass.
    std::cerr << validation.status() << "\n";
    return 1;
  }
  std::cout << wemasy::tokens::v1::Verdict_Name(validation->verdict) << "\n";
  if (validation->is_valid()) {
    std::cout << validation->identity->name << "\n";
  }
  return validation->is_valid() ? 0 : 1;
}
