#include "coroutine.hpp"

namespace coroscope::viewer {

model::SiteId coroutine_site(const model::Model& model, model::TaskId id) {
    const model::Task* task = id == 0 ? nullptr : model.task(id);
    const model::Node* node = task == nullptr ? nullptr : model.node(task->root);
    return node == nullptr ? 0 : node->site;
}

}  // namespace coroscope::viewer
