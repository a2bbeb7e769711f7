#pragma once

#define USHRT_MAX 0xffff
