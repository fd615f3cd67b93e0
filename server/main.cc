#include "server/tokend.h"

int main(int argc, char** argv) {
  return wemasy::tokens::RunTokend(argc, argv, {WEMASY_VERSION});
}
