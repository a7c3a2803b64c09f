#include "wait_chain.hpp"

#include <algorithm>

namespace coroscope::viewer {

WaitChain wait_chain(const model::Model& model, model::TaskId id, std::size_t longest) {
    WaitChain chain;
    while (chain.tasks.size() < longest) {
        const model::Task* task = model.task(id);
        if (task == nullptr) break;
        if (std::find(chain.tasks.begin(), chain.tasks.end(), id) != chain.tasks.end()) {
            chain.cycle = true;
            chain.closes_at = id;
            break;
        }
        chain.tasks.push_back(id);
        id = model::awaited_task(*task);
    }
    return chain;
}

}  // namespace coroscope::viewer
