#include "training/observers.hpp"

#include <charconv>

namespace nnrun::core {

namespace {

std::string log_line(const char* name, std::span<const nnrun_field> fields) {
  std::string line = name;
  for (const nnrun_field& f : fields) {
    if (f.numbers != nullptr) continue;  // a table is no matter for a line
    line += std::string(" ") + f.name + "=";
    if (f.text != nullptr) {
      line += f.text;
    } else {
      char text[32];
      line.append(text, std::to_chars(text, text + sizeof text, f.number).ptr);
    }
  }
  return line;
}

}  // namespace

Observers::Observers(const std::vector<ComponentSpec>& specs, const HostServices& host, const std::filesystem::path& folder,
                     const std::map<std::string, std::int64_t>& positions)
    : host_(host) {
  for (std::size_t i = 0; i < specs.size(); ++i) {
    instances_.push_back(std::make_unique<Instance>(specs[i], host.c()));
    Instance& observer = *instances_.back();
    nnrun_error error{};
    const auto known = positions.find(specs[i].component->name);
    const std::int64_t position = known != positions.end() ? known->second : 0;
    if (observer.vtable<nnrun_observer_vtable>().open(observer.self(), host.c(), folder.c_str(), position, &error) != 0) {
      observer.fail_in_run("starting", error);
    }
  }
}

Observers::~Observers() {
  for (const auto& observer : instances_) observer->vtable<nnrun_observer_vtable>().close(observer->self());
}

void Observers::tell(const char* name, std::span<const nnrun_field> fields) {
  nnrun_event event{};
  event.size = sizeof event;
  event.field_count = static_cast<std::uint32_t>(fields.size());
  event.name = name;
  event.fields = fields.data();
  if (std::string_view(name) != "batch" && std::string_view(name) != "details") host_.log(NNRUN_LOG_INFO, log_line(name, fields));
  for (const auto& observer : instances_) {
    nnrun_error error;
    error.message[0] = error.parameter[0] = '\0';
    if (observer->vtable<nnrun_observer_vtable>().event(observer->self(), &event, &error) != 0) {
      observer->fail_in_run("observing", error);
    }
  }
}

std::map<std::string, std::int64_t> Observers::positions() {
  std::map<std::string, std::int64_t> all;
  for (const auto& observer : instances_) {
    const std::string name = observer->spec().component->name;
    nnrun_error error{};
    const std::int64_t position = observer->vtable<nnrun_observer_vtable>().position(observer->self(), &error);
    if (position < 0) observer->fail_in_run("saving", error);
    all[name] = position;
  }
  return all;
}

}  // namespace nnrun::core
