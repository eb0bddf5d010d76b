#pragma once

#include <thread>
#include <vector>

#include "../../../native/team.h"

// A team whose other members are threads of this program.
class Crew {
 public:
  explicit Crew(int threads) : team(new zerofive::Team(threads)) {
    for (int member = 1; member < threads; member++) others_.emplace_back([this, member] { team->serve(member); });
  }
  ~Crew() {
    team->stop();
    for (std::thread& other : others_) other.join();
    delete team;
  }

  zerofive::Team* team;

 private:
  std::vector<std::thread> others_;
};
